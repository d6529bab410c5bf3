import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_FRONTIER, grow } from "../../src/tlog/frontier.ts";
import { HASH_BYTES, leafHash } from "../../src/tlog/hash.ts";
import {
  proveConsistency,
  proveInclusions,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from "../../src/tlog/proofs.ts";
import {
  completeTiles,
  type FullTile,
  type Tile,
  type TileReader,
  tileAt,
  tilesToComplete,
} from "../../src/tlog/tiles.ts";
import { entries, naiveTree } from "./naive-tree.ts";

test("tiles have the widths of the specification's example: a tree of 70,000", () => {
  assert.equal(tileAt(0, 272, 70_000).width, 256);
  assert.equal(tileAt(0, 273, 70_000).width, 112);
  assert.equal(tileAt(0, 274, 70_000).width, 0);
  assert.equal(tileAt(1, 0, 70_000).width, 256);
  assert.equal(tileAt(1, 1, 70_000).width, 17);
  assert.equal(tileAt(2, 0, 70_000).width, 1);
  assert.equal(tileAt(0, 0, 256).width, 256);
  assert.equal(tileAt(1, 0, 256).width, 1);
});

/** A log that keeps what the database keeps: leaf hashes, full tiles and their roots. */
function storedLog() {
  const leaves: Uint8Array[] = [];
  const tiles = new Map<string, FullTile>();
  let frontier = EMPTY_FRONTIER;

  const readTile = ({ level, tile, width }: Tile): Uint8Array => {
    const stored = tiles.get(`${level}/${tile}`);
    if (stored !== undefined) return stored.hashes.subarray(0, width * HASH_BYTES);
    const hashes = Array.from({ length: width }, (_, i) => {
      const position = tile * 256 + i;
      return level === 0 ? leaves[position] : tiles.get(`${level - 1}/${position}`)?.root;
    });
    return Buffer.concat(hashes.map((hash) => hash ?? assert.fail("not stored")));
  };
  const readTiles: TileReader = async (wanted) => wanted.map(readTile);

  return {
    readTiles,
    append(hashes: Uint8Array[]) {
      const growth = grow(frontier, hashes);
      const partial = tilesToComplete(frontier.size, growth.after.size).map(readTile);
      for (const full of completeTiles(growth, partial)) tiles.set(`${full.level}/${full.tile}`, full);
      leaves.push(...hashes);
      frontier = growth.after;
      return growth;
    },
    tiles,
  };
}

test("appends in batches of any size store exactly the full tiles", () => {
  const all = entries(1_030);
  const naive = naiveTree(all);
  for (const batch of [1, 100, 255, 256, 257, 1_030]) {
    const log = storedLog();
    for (let at = 0; at < all.length; at += batch) log.append(all.slice(at, at + batch).map(leafHash));
    assert.deepEqual([...log.tiles.keys()].sort(), ["0/0", "0/1", "0/2", "0/3"]);
    for (const { level, tile, hashes, root } of log.tiles.values()) {
      assert.deepEqual(Buffer.from(hashes), naive.tile(level, tile, 256));
      assert.deepEqual(root, naive.tile(1, 0, 4).subarray(tile * 32, (tile + 1) * 32));
    }
  }
});

test("a tree of two tile levels proves inclusion and consistency out of what is stored", async () => {
  const hashes = entries(65_800).map(leafHash);
  const log = storedLog();
  const trees = [300, 65_535, 65_536, 65_800].map((size, i, sizes) => {
    const growth = log.append(hashes.slice(i === 0 ? 0 : sizes[i - 1], size));
    return { size, root: growth.root };
  });
  const upper = log.tiles.get("1/0");
  assert.equal(upper?.hashes.length, 256 * HASH_BYTES);
  assert.deepEqual(upper?.root, trees[2]?.root);
  assert.equal(log.tiles.size, 257 + 1);

  for (const tree of trees) {
    assert.deepEqual(await treeRoot(log.readTiles, tree.size), tree.root);
    const indexes = [0, 255, 256, tree.size - 1];
    const proofs = await proveInclusions(
      log.readTiles,
      indexes.filter((i) => i < tree.size),
      tree.size,
    );
    for (const [i, proof] of proofs.entries()) {
      const index = indexes[i] as number;
      verifyInclusion(hashes[index] as Uint8Array, index, tree, proof);
    }
    for (const older of trees.filter((o) => o.size <= tree.size)) {
      verifyConsistency(older, tree, await proveConsistency(log.readTiles, older.size, tree.size));
    }
  }
});

test("a partial tile of another width is refused, so that no full tile is stored with a gap", () => {
  const hashes = entries(300).map(leafHash);
  const before = grow(EMPTY_FRONTIER, hashes.slice(0, 10)).after;
  const growth = grow(before, hashes.slice(10));
  assert.deepEqual(tilesToComplete(10, 300), [{ level: 0, tile: 0, width: 10 }]);
  assert.throws(() => completeTiles(growth, []), RangeError);
  assert.throws(() => completeTiles(growth, [new Uint8Array(9 * HASH_BYTES)]), RangeError);
});
