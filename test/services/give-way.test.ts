import assert from "node:assert/strict";
import { test } from "node:test";
import { createGivingWay } from "../../src/services/give-way.ts";

test("others have their turns while long work goes on", async () => {
  let turns = 0;
  const others = () => {
    turns += 1;
    waiting = setImmediate(others);
  };
  let waiting = setImmediate(others);
  const giveWay = createGivingWay();
  for (let step = 0; step < 3; step += 1) {
    for (const until = performance.now() + 15; performance.now() < until; );
    const before = turns;
    await giveWay();
    assert.ok(turns > before, `step ${step}`);
  }
  clearImmediate(waiting);
});
