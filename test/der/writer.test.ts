import assert from "node:assert/strict";
import { test } from "node:test";
import { readDer } from "../../src/der/reader.ts";
import { der, oid, unsigned, wholeNumber } from "../../src/der/writer.ts";
import fc from "../support/fc.ts";

test("whatever the length of its content, the reader reads back what was written", () => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
    const content = Buffer.alloc(length, 7);
    const element = readDer(der(0x04, content.subarray(0, 3), content.subarray(3)));
    assert.equal(element.tag, 0x04);
    assert.ok(content.equals(element.content), `${length} bytes`);
  }
});

test("an integer of no sign is written in the fewest bytes, and never as a negative one", () => {
  const cases: [bytes: string, written: string][] = [
    ["", "020100"],
    ["00", "020100"],
    ["0000", "020100"],
    ["7f", "02017f"],
    ["80", "02020080"],
    ["0080", "02020080"],
    ["00007f", "02017f"],
    ["ff00", "020300ff00"],
  ];
  for (const [bytes, written] of cases) {
    assert.equal(unsigned(Buffer.from(bytes, "hex")).toString("hex"), written);
  }
});

test("object identifiers have arcs of any size", () => {
  // As `openssl asn1parse -genstr OID:…` writes them.
  assert.equal(oid("2.5.29.17").toString("hex"), "0603551d11");
  assert.equal(oid("1.2.840.10045.4.3.2").toString("hex"), "06082a8648ce3d040302");
  assert.equal(oid("2.25.128").toString("hex"), "0603698100");
});

test("property: integers keep their value", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 160n }), (value) => {
      const hex = value.toString(16);
      const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
      const { content } = readDer(unsigned(bytes));
      assert.equal(BigInt(`0x${Buffer.from(content).toString("hex")}`), value);
    }),
  );
});

test("property: a number is written as its bytes are", () => {
  const atAnEdge = fc.constantFrom(0, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0x8000_0000, 2 ** 47);
  fc.assert(
    fc.property(fc.oneof(atAnEdge, fc.maxSafeNat()), (value) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64BE(BigInt(value));
      assert.deepEqual(wholeNumber(value), unsigned(bytes));
    }),
  );
});
