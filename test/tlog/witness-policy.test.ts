import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { ed25519Cosigner } from "../../src/tlog/cosignature.ts";
import { ed25519Signer } from "../../src/tlog/note.ts";
import { parseWitnessPolicy, reachesQuorum } from "../../src/tlog/witness-policy.ts";
import fc from "../support/fc.ts";

const newKey = () => generateKeyPairSync("ed25519").privateKey;
const log = ed25519Signer("log.example", newKey()).verifierKey;
const keys = Array.from({ length: 6 }, (_, i) => ed25519Cosigner(`w${i}.example`, newKey()).verifierKey);
const [k0 = "", k1 = "", k2 = "", k3 = "", k4 = "", k5 = ""] = keys;
const parse = (text: string) => parseWitnessPolicy(Buffer.from(text));

/** As in the specification: two of three, and any of three others. */
const TWO_LEVELS = `log ${log}

# ours
witness X1 ${k0} https://x1.example/add
 witness\tX2 ${k1}
witness X3 ${k2}
group X 2 X1 X2 X3
witness Y1 ${k3}
witness Y2 ${k4}
witness Y3 ${k5}
group Y any Y1 Y2 Y3
group both all X Y
quorum both
`;

test("a quorum of two levels holds for exactly the sets that it describes", () => {
  const policy = parse(TWO_LEVELS);
  assert.equal(policy.logs[0]?.name, "log.example");
  assert.deepEqual(policy.witnesses.map(({ url }) => url)[0], "https://x1.example/add");
  const names = policy.witnesses.map(({ name }) => name);
  for (let set = 0; set < 64; set += 1) {
    const cosigned = new Set(names.filter((_, i) => (set & (1 << i)) !== 0));
    const [x, y] = ["X", "Y"].map((side) => [...cosigned].filter((name) => name.startsWith(side)).length);
    assert.equal(reachesQuorum(policy, cosigned), (x ?? 0) >= 2 && (y ?? 0) >= 1, [...cosigned].join());
  }
});

test("without a quorum none is asked for; with one, nobody is not enough", () => {
  assert.ok(reachesQuorum(parse("quorum none\n"), new Set()));
  const one = parse(`witness w ${k0}\nquorum w\n`);
  assert.ok(!reachesQuorum(one, new Set()));
  assert.ok(!reachesQuorum(one, new Set(["other"])));
  assert.ok(reachesQuorum(one, new Set(["w"])));
});

const W = `witness a ${k0}\nwitness b ${k1}\n`;
/** The same public key under another name. */
const renamed = (() => {
  const key = newKey();
  return [ed25519Cosigner("one.example", key), ed25519Cosigner("two.example", key)].map(
    ({ verifierKey }) => verifierKey,
  );
})();

test("what the specification does not allow is refused, with its line", () => {
  for (const [text, line] of [
    ["", undefined],
    [W, undefined],
    [`${W}quorum a`, undefined],
    [`${W}quorum a\nquorum a\n`, 4],
    [`${W}quorum c\n`, 3],
    [`${W}quorum\n`, 3],
    [`${W}quorum a b\n`, 3],
    [`${W}group g 0 a\nquorum g\n`, 3],
    [`${W}group g 2 a\nquorum g\n`, 3],
    [`${W}group g 01 a\nquorum g\n`, 3],
    [`${W}group g 1.0 a\nquorum g\n`, 3],
    [`${W}group g any\nquorum g\n`, 3],
    [`${W}group g any none\nquorum g\n`, 3],
    [`${W}group g any g\nquorum g\n`, 3],
    [`${W}group a any b\nquorum a\n`, 3],
    [`${W}group none any a\nquorum none\n`, 3],
    [`${W}group g any a a\nquorum g\n`, 3],
    [`${W}group g any a\ngroup h any a\nquorum h\n`, 4],
    [`${W}witness a ${k2}\nquorum a\n`, 3],
    [`${W}witness c ${k0}\nquorum a\n`, 3],
    [`witness a ${renamed[0]}\nwitness b ${renamed[1]}\nquorum a\n`, 2],
    [`witness a ${log}\nquorum a\n`, 1],
    [`witness a ${k0} https://a.example more\nquorum a\n`, 1],
    [`log ${k0}\nquorum none\n`, 1],
    [`log ${log}\nlog ${log}\nquorum none\n`, 2],
    ["quorum none\nfriend a\n", 2],
    ["quorum none\r\n", undefined],
    ["quorum none\u0000\n", undefined],
    ["quorum\u00a0none\n", 1],
  ] as const) {
    const isOurs = (error: unknown) =>
      error instanceof VouchsafeError &&
      error.code === "invalid-request" &&
      (line === undefined || error.message.startsWith(`Line ${line} `));
    assert.throws(() => parse(text), isOurs, text);
  }
  assert.throws(() => parseWitnessPolicy(Buffer.from([0x23, 0xff, 0x0a])), { code: "invalid-request" });
});

test("no bytes make parsing throw anything but our error", () => {
  const word = fc.constantFrom(
    "log",
    "witness",
    "group",
    "quorum",
    "none",
    "any",
    "all",
    "1",
    "a",
    "b",
    log,
    ...keys,
  );
  const line = fc.array(word, { maxLength: 5 }).map((words) => words.join(" "));
  const text = fc.array(line, { maxLength: 8 }).map((lines) => `${lines.join("\n")}\n`);
  fc.assert(
    fc.property(
      fc.oneof(
        text.map((written) => Buffer.from(written)),
        fc.uint8Array(),
      ),
      (bytes) => {
        try {
          parseWitnessPolicy(bytes);
        } catch (error) {
          assert.ok(error instanceof VouchsafeError && error.code === "invalid-request");
        }
      },
    ),
  );
});
