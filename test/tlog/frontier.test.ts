import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeFrontier,
  EMPTY_FRONTIER,
  encodePeaks,
  type Frontier,
  frontierRoot,
  grow,
} from "../../src/tlog/frontier.ts";
import { leafHash } from "../../src/tlog/hash.ts";
import fc from "../support/fc.ts";
import { entries, naiveTree } from "./naive-tree.ts";

const LARGEST = 256;
const all = entries(LARGEST);
const leaves = all.map(leafHash);
const naive = naiveTree(all);

function frontierAt(size: number): Frontier {
  return grow(EMPTY_FRONTIER, leaves.slice(0, size)).after;
}

test("leaf hashes are those of the RFC", () => {
  assert.deepEqual(Buffer.concat(leaves), naive.tile(0, 0, LARGEST));
  assert.equal(
    Buffer.from(leafHash(new Uint8Array(0))).toString("hex"),
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  );
});

test("every size up to 256, grown at once and one by one, has the root of the RFC", () => {
  let frontier = EMPTY_FRONTIER;
  for (let size = 0; size <= LARGEST; size += 1) {
    const atOnce = grow(EMPTY_FRONTIER, leaves.slice(0, size));
    assert.deepEqual(atOnce.root, naive.root(size));
    assert.deepEqual(frontierRoot(frontier), naive.root(size));
    assert.deepEqual(frontier, atOnce.after);
    frontier = grow(frontier, leaves.slice(size, size + 1)).after;
  }
});

test("every append between two sizes up to 96 proves each new leaf as the RFC does", () => {
  for (let before = 0; before <= 96; before += 1) {
    const frontier = frontierAt(before);
    for (let after = before; after <= 96; after += 1) {
      const growth = grow(frontier, leaves.slice(before, after));
      assert.deepEqual(growth.root, naive.root(after));
      for (let index = before; index < after; index += 1) {
        assert.deepEqual(growth.inclusionProof(index), naive.path(index, after));
      }
    }
  }
});

test("appending in any batches gives one and the same tree", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 60 }), { maxLength: 12 }), (batches) => {
      let frontier = EMPTY_FRONTIER;
      for (const batch of batches) {
        const size = Math.min(frontier.size + batch, LARGEST);
        const growth = grow(frontier, leaves.slice(frontier.size, size));
        assert.deepEqual(growth.root, naive.root(size));
        frontier = decodeFrontier(size, encodePeaks(growth.after));
      }
      assert.deepEqual(frontier, frontierAt(frontier.size));
    }),
  );
});

test("an append to a tree too large for 32-bit arithmetic verifies", () => {
  // The peaks of a tree of 2^52 + 5 leaves: any hashes will do.
  const before: Frontier = { size: 2 ** 52 + 5, peaks: leaves.slice(0, 3) };
  const growth = grow(before, leaves.slice(0, 9));
  assert.equal(growth.after.size, 2 ** 52 + 14);
  assert.equal(growth.after.peaks.length, 4);
  assert.deepEqual(growth.after.peaks[0], before.peaks[0]);
  assert.equal(growth.inclusionProof(2 ** 52 + 5).length, 5);
});

test("proofs are given for the leaves of the append only", () => {
  const growth = grow(frontierAt(5), leaves.slice(5, 8));
  for (const index of [4, 8, -1, 5.5, Number.NaN])
    assert.throws(() => growth.inclusionProof(index), RangeError);
});

test("a stored frontier needs exactly the peaks that its size demands", () => {
  const peaks = encodePeaks(frontierAt(7));
  assert.throws(() => decodeFrontier(8, peaks), RangeError);
  assert.throws(() => decodeFrontier(7, peaks.subarray(1)), RangeError);
  assert.throws(() => decodeFrontier(-1, new Uint8Array(0)), RangeError);
  assert.deepEqual(decodeFrontier(0, new Uint8Array(0)), EMPTY_FRONTIER);
});
