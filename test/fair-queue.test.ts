import assert from "node:assert/strict";
import { test } from "node:test";
import { createFairQueue } from "../src/fair-queue.ts";
import fc from "./support/fc.ts";

const MOST = { entries: 1_000, bytes: 1_000 };

test("one alone may have so much waiting, and beside it there is room for others", () => {
  const queue = createFairQueue<string>({ entries: 4, bytes: 100 });
  const pushed = (party: string, count: number, bytes = 0) =>
    Array.from({ length: count }, (_, i) => queue.push(party, `${party}${i}`, bytes)).filter(Boolean).length;
  assert.equal(pushed("a", 9), 4);
  assert.equal(pushed("b", 9), 2);
  assert.equal(pushed("c", 9), 1);
  assert.equal(pushed("a", 1), 0);
  assert.deepEqual(queue.take(MOST), ["a0", "b0", "c0", "a1", "b1", "a2", "a3"]);
  assert.ok(queue.isEmpty);
  assert.equal(pushed("a", 9, 30), 3, "bytes count too");
  assert.equal(pushed("b", 9, 30), 1);
});

test("each line has its turn, and none is skipped by where a batch ends", () => {
  const queue = createFairQueue<string>({ entries: 100, bytes: 1_000 });
  for (let i = 0; i < 6; i += 1) queue.push("a", `a${i}`, 10);
  queue.push("b", "b0", 10);
  queue.push("c", "c0", 50);
  assert.deepEqual(queue.take({ entries: 2, bytes: 100 }), ["a0", "b0"]);
  assert.deepEqual(queue.take({ entries: 9, bytes: 20 }), ["c0"], "at least one, however large");
  assert.deepEqual(queue.take({ entries: 9, bytes: 25 }), ["a1", "a2"]);
});

test("property: all that was taken in comes out once, each line in its order, and the bounds hold", () => {
  const step = fc.oneof(
    fc.record({ party: fc.constantFrom("a", "b", "c"), bytes: fc.nat(40) }),
    fc.record({ entries: fc.integer({ min: 1, max: 5 }), bytes: fc.nat(60) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = createFairQueue<{ party: string; n: number; bytes: number }>({ entries: 8, bytes: 100 });
      const inside: { party: string; n: number; bytes: number }[] = [];
      const out: { party: string; n: number }[] = [];
      steps.forEach((one, n) => {
        if ("party" in one) {
          const entry = { ...one, n };
          if (queue.push(one.party, entry, one.bytes)) inside.push(entry);
          assert.ok(inside.length < 16);
          assert.ok(inside.reduce((sum, { bytes }) => sum + bytes, 0) <= 200);
          return;
        }
        const waited = inside.length;
        const taken = queue.take(one);
        assert.ok(taken.length <= one.entries && (taken.length > 0 || waited === 0));
        for (const entry of taken) inside.splice(inside.indexOf(entry), 1);
        out.push(...taken);
      });
      out.push(...queue.take({ entries: 100, bytes: 10_000 }));
      assert.equal(out.length, new Set(out.map(({ n }) => n)).size);
      for (const party of ["a", "b", "c"]) {
        const order = out.filter((entry) => entry.party === party).map(({ n }) => n);
        assert.deepEqual(
          order,
          order.toSorted((a, b) => a - b),
        );
      }
      assert.ok(queue.isEmpty);
    }),
  );
});
