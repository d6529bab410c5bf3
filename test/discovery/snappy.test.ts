import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeSnappy } from "../../src/discovery/snappy.ts";
import { hasCode } from "../../src/errors.ts";
import fc from "../support/fc.ts";
import { literalSnappy } from "./snappy-writer.ts";

const MAX = 1000;
const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

test("literals and copies of each kind are taken apart", () => {
  const cases: [string, string][] = [
    ["00", ""],
    ["03 08 616263", "abc"],
    ["03 f0 02 616263", "abc"],
    ["03 f4 0200 616263", "abc"],
    // Copies by an offset of 11, 16 and 32 bits; the second writes what it reads.
    ["07 08 616263 01 03", "abcabca"],
    ["0a 00 61 22 0100", "aaaaaaaaaa"],
    ["06 08 616263 0b 03000000", "abcabc"],
  ];
  for (const [written, read] of cases)
    assert.equal(Buffer.from(decodeSnappy(hex(written), MAX)).toString(), read);
});

test("what is not of the format is refused, and so is what is longer than it may be", () => {
  for (const written of [
    "",
    "80",
    "ffffffffff01",
    "e907 00",
    "ffffffff0f 00",
    "02 00 61",
    "01 04 6161",
    "03 08 6161",
    "04 00 61 01 00",
    "05 00 61 01 02",
    "05 00 61 01",
    "03 f4 02",
    "03 fc ffffffff 61",
    "05 00 61 fe 0100",
  ])
    assert.throws(
      () => decodeSnappy(hex(written), MAX),
      (error) => hasCode(error, "outbound-failed"),
      written,
    );
});

test("any bytes are taken apart or refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.deepEqual(
        Buffer.from(decodeSnappy(literalSnappy(Buffer.concat([bytes, Buffer.from("x")])), MAX)),
        Buffer.concat([bytes, Buffer.from("x")]),
      );
      try {
        assert.ok(decodeSnappy(bytes, MAX).length <= MAX);
      } catch (error) {
        assert.ok(hasCode(error, "outbound-failed"));
      }
    }),
  );
});
