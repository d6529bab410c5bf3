import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChainKey } from "../../../src/custody/events.ts";
import { type BrokenLink, followChain, type Linked, previousIn } from "../../../src/custody/pack/chain.ts";
import type { Digest } from "../../../src/in-toto-attestation/index.ts";

const A = `sha256:${"a1".repeat(32)}` as Digest;
const B = `sha256:${"b2".repeat(32)}` as Digest;

function event(index: number, links: readonly [ChainKey, number | null][]): Linked {
  return { index, about: links.map(([key]) => key), previous: links.map(([, previous]) => previous) };
}

const first = event(3, [[A, null]]);
const second = event(5, [
  [B, 1],
  [A, 3],
]);
const third = event(9, [
  [A, 5],
  ["*", null],
]);

function brokenLinks(key: ChainKey, events: readonly Linked[]): BrokenLink[] {
  const chain = followChain(key);
  return events.flatMap((event) => chain.follow(event) ?? []);
}

test("a chain of which each event names the one before it is unbroken", () => {
  assert.deepEqual(brokenLinks(A, [first, second, third]), []);
  assert.deepEqual(brokenLinks("*", [third]), []);
  assert.deepEqual(brokenLinks(A, []), []);
});

test("an event left out, put in, or out of its place breaks the chain there", () => {
  assert.deepEqual(brokenLinks(A, [second, third]), [{ index: 5, expected: null, actual: 3 }]);
  assert.deepEqual(brokenLinks(A, [first, third]), [{ index: 9, expected: 3, actual: 5 }]);
  assert.deepEqual(brokenLinks(B, [second, third]), [
    { index: 5, expected: null, actual: 1 },
    { index: 9, expected: 5, actual: undefined },
  ]);
  assert.deepEqual(brokenLinks(A, [first, first]), [{ index: 3, expected: 3, actual: null }]);
});

test("an event that joins several chains is linked in each", () => {
  assert.equal(previousIn(A, second), 3);
  assert.equal(previousIn(B, second), 1);
  assert.equal(previousIn("*", second), undefined);
  assert.equal(previousIn("*", third), null);
});
