import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff } from "../../src/workload/backoff.ts";

test("waits grow to a bound, and are anything up to it", () => {
  const bounds = { first: 100, longest: 1_000 };
  const longest = [1, 2, 3, 4, 5, 2_000].map((failures) => backoff(bounds, failures, () => 1));
  assert.deepEqual(longest, [100, 200, 400, 800, 1_000, 1_000]);
  assert.equal(
    backoff(bounds, 5, () => 0),
    0,
  );
});
