import assert from "node:assert/strict";
import test from "node:test";
import { forgetOldest } from "../../src/workload/forget-oldest.ts";

test("what was set first is forgotten, and no more than there is no room for", () => {
  const kept = new Map([1, 2, 3, 4].map((key) => [key, key]));
  forgetOldest(kept, 4);
  assert.equal(kept.size, 4);
  kept.delete(1);
  kept.set(1, 1);
  forgetOldest(kept, 2);
  assert.deepEqual([...kept.keys()], [4, 1]);
});
