import assert from "node:assert/strict";
import { test } from "node:test";
import { createQuota } from "../../src/http/quota.ts";

test("calls beyond the quota are told how long to wait, until the window ends", () => {
  let now = 1_000;
  const secondsToWait = createQuota({ max: 2, window: 60_000, clock: () => now });
  assert.deepEqual([secondsToWait("a"), secondsToWait("a"), secondsToWait("a")], [0, 0, 60]);
  now += 58_500;
  assert.equal(secondsToWait("a"), 2);
  now += 1_500;
  assert.deepEqual([secondsToWait("a"), secondsToWait("a"), secondsToWait("a")], [0, 0, 60]);
});

test("each key has a quota of its own", () => {
  const secondsToWait = createQuota({ max: 1, window: 60_000, clock: () => 0 });
  assert.deepEqual([secondsToWait("a"), secondsToWait("b"), secondsToWait("a")], [0, 0, 60]);
});

test("keys beyond those that are told apart count as one, until the window ends", () => {
  let now = 0;
  const secondsToWait = createQuota({ max: 2, window: 60_000, clock: () => now, maxKeys: 2 });
  assert.deepEqual(["a", "b", "c", "d", "e", "a"].map(secondsToWait), [0, 0, 0, 0, 60, 0]);
  now += 60_000;
  assert.equal(secondsToWait("e"), 0);
});
