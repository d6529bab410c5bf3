import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeEntryBundle } from "../../src/tlog/entry-bundle.ts";

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
