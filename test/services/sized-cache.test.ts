import assert from "node:assert/strict";
import { test } from "node:test";
import { createSizedCache } from "../../src/services/sized-cache.ts";

const keys = ["a", "b", "c", "d"];

test("values are forgotten, oldest first, when there are too many of them", () => {
  const cache = createSizedCache<string, number>({ entries: 2, bytes: 1000 });
  for (const [i, key] of ["a", "b", "a", "c"].entries()) cache.set(key, i, 1);
  assert.deepEqual(keys.map(cache.get), [2, undefined, 3, undefined]);
});

test("a few large values make no more room than many small ones", () => {
  const cache = createSizedCache<string, number>({ entries: 100, bytes: 10 });
  cache.set("a", 0, 4);
  cache.set("b", 1, 4);
  cache.set("c", 2, 4);
  assert.deepEqual(keys.map(cache.get), [undefined, 1, 2, undefined]);
  cache.set("d", 3, 11);
  assert.deepEqual(keys.map(cache.get), [undefined, undefined, undefined, undefined]);
  cache.set("a", 4, 10);
  assert.equal(cache.get("a"), 4);
});

test("a value that is set again counts once", () => {
  const cache = createSizedCache<string, number>({ entries: 100, bytes: 10 });
  for (let i = 0; i < 5; i++) cache.set("a", i, 4);
  cache.set("b", 9, 6);
  assert.deepEqual(keys.map(cache.get), [4, 9, undefined, undefined]);
});
