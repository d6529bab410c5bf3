import assert from "node:assert/strict";
import { test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { formatSubmission, parseSize, parseSubmission } from "../../src/tlog/add-checkpoint.ts";
import fc from "../support/fc.ts";

/** The example of c2sp.org/tlog-witness, in part. */
const EXAMPLE = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
`;

test("the specification's example is taken apart and put together again", () => {
  const submission = parseSubmission(EXAMPLE);
  assert.equal(submission.old, 20852014);
  assert.equal(submission.proof.length, 2);
  assert.ok(submission.note.startsWith("example.com/behind-the-sofa\n20852163\n"));
  assert.equal(formatSubmission(submission), EXAMPLE);
});

test("any submission survives the way there and back", () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const submission = fc.record({
    old: fc.maxSafeNat(),
    proof: fc.array(hash, { maxLength: 63 }),
    note: fc.string(),
  });
  fc.assert(
    fc.property(submission, (given) => {
      const taken = parseSubmission(formatSubmission(given));
      const proof = taken.proof.map((bytes) => Uint8Array.from(bytes));
      assert.deepEqual({ ...taken, proof }, { ...given });
    }),
  );
});

test("submissions of another form are refused", () => {
  const line = `${Buffer.alloc(32).toString("base64")}\n`;
  for (const text of [
    "",
    "old 0\n",
    "old  0\n\nnote",
    "old 00\n\nnote",
    "old -1\n\nnote",
    "old 1e3\n\nnote",
    "old 9007199254740992\n\nnote",
    "old 0 \n\nnote",
    "new 0\n\nnote",
    "old 0\r\n\r\nnote",
    `old 1\n${line.slice(0, -4)}\n\nnote`,
    `old 1\n ${line}\nnote`,
    `old 1\n${line.repeat(64)}\nnote`,
  ]) {
    assert.throws(() => parseSubmission(text), { code: "invalid-request" }, text);
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseSubmission(text);
      } catch (error) {
        assert.ok(error instanceof VouchsafeError && error.code === "invalid-request");
      }
    }),
  );
});

test("a size has one spelling", () => {
  assert.equal(parseSize("9007199254740991"), 2 ** 53 - 1);
  for (const text of ["", "01", "+1", "1.0", "9007199254740992", "99999999999999999999", "1\n"]) {
    assert.equal(parseSize(text), undefined, text);
  }
});
