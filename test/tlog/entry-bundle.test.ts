import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeEntryBundle, encodeEntryBundle } from "../../src/tlog/entry-bundle.ts";
import fc from "../support/fc.ts";

test("puts each entry's length before it, two bytes, the high one first", () => {
  const long = new Uint8Array(65_535).fill(7);
  const bundle = encodeEntryBundle([Uint8Array.of(1, 2, 3), new Uint8Array(0), long]);
  assert.deepEqual([...bundle.subarray(0, 9)], [0, 3, 1, 2, 3, 0, 0, 255, 255]);
  assert.deepEqual(bundle.subarray(9), Buffer.from(long));
  assert.equal(encodeEntryBundle([]).length, 0);
});

test("takes no entry whose length does not fit", () => {
  assert.throws(() => encodeEntryBundle([new Uint8Array(65_536)]), RangeError);
});

const invalid = { name: "VouchsafeError", code: "proof-invalid" };

test("takes a bundle apart into exactly the entries that it was made of", () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
  fc.assert(
    fc.property(entries, (given) => {
      const bundle = encodeEntryBundle(given);
      assert.deepEqual(
        decodeEntryBundle(bundle, given.length).map((entry) => [...entry]),
        given.map((entry) => [...entry]),
      );
      assert.throws(() => decodeEntryBundle(bundle, given.length + 1), invalid);
      if (given.length > 0) assert.throws(() => decodeEntryBundle(bundle, given.length - 1), invalid);
    }),
  );
});

test("takes no bundle that is cut off or goes on", () => {
  const bundle = encodeEntryBundle([Uint8Array.of(1, 2, 3), Uint8Array.of(4)]);
  for (let end = 0; end < bundle.length; end += 1)
    assert.throws(() => decodeEntryBundle(bundle.subarray(0, end), 2), invalid, `${end} bytes`);
  assert.throws(() => decodeEntryBundle(Buffer.concat([bundle, Uint8Array.of(0)]), 2), invalid);
});
