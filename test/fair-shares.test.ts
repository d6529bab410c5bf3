import assert from "node:assert/strict";
import { test } from "node:test";
import { createFairShares, type FairShares } from "../src/fair-shares.ts";

function taken(shares: FairShares, party: string, holder?: string): () => void {
  const place = shares.take(party, holder);
  assert.ok(typeof place === "function", `no place for ${party}: ${place}`);
  return place;
}

test("a party that is alone has all its places, and another has one however many it took", () => {
  const shares = createFairShares({ alone: 3 });
  for (let i = 0; i < 3; i += 1) taken(shares, "a");
  assert.equal(shares.take("a"), "full");
  taken(shares, "b");
  assert.equal(shares.take("b"), "full");
});

test("a holder has as many as one may have, whoever in another party has its name", () => {
  const shares = createFairShares({ alone: 10, each: 1 });
  const giveBack = taken(shares, "a", "ci");
  assert.equal(shares.take("a", "ci"), "holder-full");
  taken(shares, "a", "cd");
  taken(shares, "b", "ci");
  giveBack();
  taken(shares, "a", "ci");
});

test("a place that is given back twice is one place", () => {
  const shares = createFairShares({ alone: 1, each: 1 });
  const giveBack = taken(shares, "a", "ci");
  giveBack();
  giveBack();
  taken(shares, "a", "ci");
  assert.equal(shares.take("a"), "full");
});

test("several places are taken and given back in one piece", () => {
  const shares = createFairShares({ alone: 8 });
  const held = [shares.take("a", undefined, 5), shares.take("a", undefined, 3)];
  assert.deepEqual([shares.take("a"), shares.take("b", undefined, 5)], ["full", "full"]);
  for (const giveBack of held) {
    assert.ok(typeof giveBack === "function");
    giveBack();
    giveBack();
  }
  assert.ok(typeof shares.take("b", undefined, 8) === "function");
  assert.equal(shares.take("b"), "full");
});
