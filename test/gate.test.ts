import assert from "node:assert/strict";
import { test } from "node:test";
import { openGate } from "../src/gate.ts";

test("a gate lets so many through at once, in their order, and refuses whom it has no room for", async () => {
  const gate = openGate({ atOnce: 2, waiting: 3 });
  const works = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const started: number[] = [];
  const runs = works.map(({ promise }, i) =>
    gate(() => {
      started.push(i);
      return promise;
    }),
  );
  const settled = Promise.allSettled(runs);
  assert.deepEqual(started, [0, 1]);
  await assert.rejects(
    gate(async () => {}),
    { code: "unavailable" },
  );
  works[1]?.resolve();
  await runs[1];
  await new Promise(setImmediate);
  assert.deepEqual(started, [0, 1, 2]);
  // What fails makes room too.
  works[0]?.reject(new Error("as it was told"));
  await new Promise(setImmediate);
  assert.deepEqual(started, [0, 1, 2, 3]);
  for (const { resolve } of works) resolve();
  assert.deepEqual(
    (await settled).map(({ status }) => status),
    ["rejected", "fulfilled", "fulfilled", "fulfilled", "fulfilled"],
  );
  await gate(async () => started.push(5));
  assert.equal(started.at(-1), 5);
});
