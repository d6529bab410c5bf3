import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBase64, decodeEitherBase64 } from "../../src/in-toto-attestation/base64.ts";
import fc from "../support/fc.ts";

test("bytes have one spelling, and it is read back", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const text = Buffer.from(bytes).toString("base64");
      assert.deepEqual(new Uint8Array(decodeBase64(text) ?? []), bytes);
      const urlSafe = text.replaceAll("+", "-").replaceAll("/", "_");
      assert.deepEqual(new Uint8Array(decodeEitherBase64(urlSafe) ?? []), bytes);
    }),
  );
});

test("any text that is read is the spelling of what was read", () => {
  const nearBase64 = fc.string({ unit: fc.constantFrom("A", "Q", "/", "+", "-", "_", "=", "\n", " ") });
  fc.assert(
    fc.property(fc.oneof(fc.string(), nearBase64), (text) => {
      const bytes = decodeBase64(text);
      if (bytes !== undefined) assert.equal(Buffer.from(bytes).toString("base64"), text);
    }),
    { numRuns: 1000 },
  );
});

for (const text of ["QQ", "QQ=", "QR==", "QQ==\n", " QQ==", "QQ==QQ==", "Q", "====", "Q=Q=", "QQ-_", "é"]) {
  test(`refuses ${JSON.stringify(text)}`, () => assert.equal(decodeBase64(text), undefined));
}

test("the two alphabets are never mixed", () => {
  assert.equal(decodeEitherBase64("-/-/"), undefined);
  assert.deepEqual(decodeEitherBase64("-_-_"), decodeEitherBase64("+/+/"));
});

/** Of the alphabets, what Node's decoder passes over, and what it takes by the low byte: ı is U+0131, Ł U+0141. */
const CHARACTERS = [..."AQ1+/=-_ \nıŁ"];

/** The definition: the one text that encoding the bytes gives. */
function encodesBack(text: string): boolean {
  return Buffer.from(text, "base64").toString("base64") === text;
}

test("every text of up to four such characters is read if it is what its bytes are encoded as", () => {
  let texts = [""];
  for (let length = 1; length <= 4; length += 1) {
    texts = texts.flatMap((text) => CHARACTERS.map((character) => text + character));
    for (const text of texts) assert.equal(decodeBase64(text) !== undefined, encodesBack(text), text);
  }
});

test("a longer text with something changed is read if it is what its bytes are encoded as", () => {
  const change = fc.tuple(
    fc.nat(),
    fc.constantFrom("replace", "insert", "remove"),
    fc.constantFrom(...CHARACTERS),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(change, { maxLength: 3 }), (bytes, changes) => {
      let text = Buffer.from(bytes).toString("base64");
      for (const [place, how, character] of changes) {
        const at = place % (text.length + 1);
        const after = text.slice(how === "insert" ? at : at + 1);
        text = text.slice(0, at) + (how === "remove" ? "" : character) + after;
      }
      assert.equal(decodeBase64(text) !== undefined, encodesBack(text), text);
    }),
    { numRuns: 3000 },
  );
});
