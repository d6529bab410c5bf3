import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeBase64, decodeEitherBase64 } from "../../src/in-toto-attestation/base64.ts";

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
