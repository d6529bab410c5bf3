import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_FRONTIER, type Frontier } from "../../src/tlog/frontier.ts";
import { leafHash } from "../../src/tlog/hash.ts";
import { proveConsistency, readFrontier } from "../../src/tlog/proofs.ts";
import { verifyRange } from "../../src/tlog/range.ts";
import type { TileReader } from "../../src/tlog/tiles.ts";
import { entries, naiveTree } from "./naive-tree.ts";

const SIZE = 33;
const all = entries(SIZE);
const leaves = all.map(leafHash);
const naive = naiveTree(all);
const readTiles: TileReader = async (tiles) =>
  tiles.map(({ level, tile, width }) => naive.tile(level, tile, width));
const invalid = { name: "VouchsafeError", code: "proof-invalid" };

test("each range of each small tree is proved by the frontier before it and a proof of consistency", async () => {
  for (let size = 0; size <= SIZE; size += 1) {
    const tree = { size, root: naive.root(size) };
    for (let to = 0; to <= size; to += 1) {
      const proof = await proveConsistency(readTiles, to, size);
      for (let from = 0; from <= to; from += 1) {
        const before = await readFrontier(readTiles, from, size);
        const after = verifyRange(before, leaves.slice(from, to), tree, proof);
        assert.deepEqual(after, await readFrontier(readTiles, to, size));
      }
    }
  }
});

test("ranges that follow one another lead from the empty tree to the whole", async () => {
  const tree = { size: SIZE, root: naive.root(SIZE) };
  let frontier: Frontier = EMPTY_FRONTIER;
  for (const to of [0, 3, 4, 17, 17, 32, SIZE]) {
    const proof = await proveConsistency(readTiles, to, SIZE);
    frontier = verifyRange(frontier, leaves.slice(frontier.size, to), tree, proof);
  }
  assert.equal(frontier.size, SIZE);
});

test("no other leaf, order, place or frontier is proved", async () => {
  const tree = { size: SIZE, root: naive.root(SIZE) };
  const before = await readFrontier(readTiles, 5, SIZE);
  const proof = await proveConsistency(readTiles, 12, SIZE);
  const range = leaves.slice(5, 12);
  const [first, second, ...rest] = range as [Uint8Array, Uint8Array, ...Uint8Array[]];
  const altered: readonly (readonly [string, Frontier, readonly Uint8Array[]])[] = [
    ["another leaf", before, [leafHash(Buffer.from("other")), second, ...rest]],
    ["two changed places", before, [second, first, ...rest]],
    ["one left out", before, range.slice(1)],
    ["one too many", before, [...range, leaves[12] as Uint8Array]],
    ["other peaks", { size: 5, peaks: before.peaks.toReversed() }, range],
    ["another place", { size: 4, peaks: before.peaks.slice(0, 1) }, range],
  ];
  assert.equal(verifyRange(before, range, tree, proof).size, 12);
  for (const [what, frontier, given] of altered)
    assert.throws(() => verifyRange(frontier, given, tree, proof), invalid, what);
});
