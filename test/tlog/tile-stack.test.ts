import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_FRONTIER, frontierRoot, grow } from "../../src/tlog/frontier.ts";
import { leafHash } from "../../src/tlog/hash.ts";
import { createTileStack } from "../../src/tlog/tile-stack.ts";
import { completeTiles, type FullTile, tilesToComplete } from "../../src/tlog/tiles.ts";
import { entries, naiveTree } from "./naive-tree.ts";

const SIZE = 66_000;
const leaves = entries(SIZE).map(leafHash);
const naive = naiveTree(entries(600));

test("every size up to 600, followed leaf by leaf, has the root of the RFC", () => {
  const stack = createTileStack();
  for (let size = 1; size <= 600; size += 1) {
    stack.add(leaves[size - 1] as Uint8Array);
    const { size: counted, peaks } = stack.frontier();
    assert.equal(counted, size);
    assert.deepEqual(Buffer.from(frontierRoot({ size, peaks })), Buffer.from(naive.root(size)));
  }
});

test("a tree of three levels is completed by the tiles that the writer's append makes", () => {
  const growth = grow(EMPTY_FRONTIER, leaves);
  const byLevel = (a: FullTile, b: FullTile) => a.level - b.level || a.tile - b.tile;
  const stack = createTileStack();
  const full = leaves.flatMap((leaf) => stack.add(leaf)).toSorted(byLevel);
  const expected = completeTiles(
    growth,
    tilesToComplete(0, 0).map(() => new Uint8Array(0)),
  );
  assert.deepEqual(full.map(plain), expected.map(plain));
  assert.deepEqual(stack.frontier().peaks.map(hex), growth.after.peaks.map(hex));
});

function plain({ level, tile, hashes, root }: FullTile) {
  return { level, tile, hashes: hex(hashes), root: hex(root) };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
