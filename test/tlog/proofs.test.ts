import assert from "node:assert/strict";
import { test } from "node:test";
import { leafHash } from "../../src/tlog/hash.ts";
import {
  type Proof,
  proveConsistency,
  proveInclusion,
  proveInclusions,
  rootFromInclusion,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from "../../src/tlog/proofs.ts";
import type { Tile, TileReader } from "../../src/tlog/tiles.ts";
import fc from "../support/fc.ts";
import { entries, naiveTree } from "./naive-tree.ts";

const LARGEST = 256;
const all = entries(LARGEST);
const leaves = all.map(leafHash);
const naive = naiveTree(all);
const trees = Array.from({ length: LARGEST + 1 }, (_, size) => ({ size, root: naive.root(size) }));

function treeOf(size: number) {
  return trees[size] as { size: number; root: Uint8Array };
}

function leafAt(index: number): Uint8Array {
  return leaves[index] as Uint8Array;
}

/** Tiles out of the naive tree. What was read is noted in `log`. */
function reader(log: Tile[] = []): TileReader {
  return async (tiles) => {
    log.push(...tiles);
    return tiles.map(({ level, tile, width }) => naive.tile(level, tile, width));
  };
}

/** Asks the reader for each tile once: it is the same tree all along. */
function remembering(read: TileReader): TileReader {
  const known = new Map<string, Promise<readonly Uint8Array[]>>();
  const one = async (tile: Tile) => {
    const key = JSON.stringify(tile);
    const hashes = known.get(key) ?? read([tile]);
    known.set(key, hashes);
    return (await hashes)[0] as Uint8Array;
  };
  return (tiles) => Promise.all(tiles.map(one));
}

/** Like `deepEqual`, but fast enough for tens of thousands of proofs. */
function assertSame(actual: Proof, expected: Proof): void {
  assert.equal(Buffer.concat(actual).toString("hex"), Buffer.concat(expected).toString("hex"));
}

const invalid = { name: "VouchsafeError", code: "proof-invalid" };

test("every inclusion proof of every tree up to 256 is that of the RFC and verifies", async () => {
  for (let size = 1; size <= LARGEST; size += 1) {
    const indexes = Array.from({ length: size }, (_, index) => index);
    const proofs = await proveInclusions(reader(), indexes, size);
    for (const [index, inclusion] of proofs.entries()) {
      verifyInclusion(leafAt(index), index, treeOf(size), inclusion);
      assertSame(inclusion, naive.path(index, size));
    }
  }
});

test("every consistency proof between trees up to 256 verifies, and is that of the RFC", async () => {
  for (let second = 0; second <= LARGEST; second += 1) {
    const read = remembering(reader());
    for (let first = 0; first <= second; first += 1) {
      const consistency = await proveConsistency(read, first, second);
      verifyConsistency(treeOf(first), treeOf(second), consistency);
      if (first > 0) assertSame(consistency, naive.proof(first, second));
    }
  }
});

test("the root of every size comes out of the tiles", async () => {
  for (const { size, root } of trees) assert.deepEqual(await treeRoot(reader(), size), root);
});

test("each tile is read once, at the width that the tree's size gives it", async () => {
  const log: Tile[] = [];
  await proveInclusions(reader(log), [0, 1, 255], 256);
  assert.deepEqual(log, [{ level: 0, tile: 0, width: 256 }]);
});

test("an inclusion proof with any change is refused", () => {
  for (const size of [1, 2, 3, 5, 8, 13, 37]) {
    for (let index = 0; index < size; index += 1) {
      const tree = treeOf(size);
      const good = naive.path(index, size);
      const refuse = (leaf: Uint8Array, at: number, of: typeof tree, changed: Proof) =>
        assert.throws(() => verifyInclusion(leaf, at, of, changed), invalid);
      refuse(leafAt(index + 1), index, tree, good);
      for (let other = 0; other <= size; other += 1)
        if (other !== index) refuse(leafAt(index), other, tree, good);
      refuse(leafAt(index), index, { size, root: treeOf(size + 1).root }, good);
      refuse(leafAt(index), index, tree, [...good, leafAt(0)]);
      for (const [i, hash] of good.entries()) {
        refuse(leafAt(index), index, tree, good.with(i, flipped(hash)));
        refuse(leafAt(index), index, tree, good.toSpliced(i, 1));
        refuse(leafAt(index), index, tree, good.with(i, hash.subarray(1)));
      }
    }
  }
});

test("a consistency proof with any change is refused", () => {
  for (const second of [2, 3, 6, 8, 21]) {
    for (let first = 1; first < second; first += 1) {
      const good = naive.proof(first, second);
      const refuse = (a: number, b: number, changed: Proof) =>
        assert.throws(() => verifyConsistency(treeOf(a), treeOf(b), changed), invalid);
      refuse(second, first, good);
      assert.throws(
        () => verifyConsistency({ size: first, root: treeOf(first + 1).root }, treeOf(second), good),
        invalid,
      );
      assert.throws(
        () => verifyConsistency(treeOf(first), { size: second, root: treeOf(first).root }, good),
        invalid,
      );
      refuse(first, second, [...good, leafAt(0)]);
      for (const [i, hash] of good.entries()) {
        refuse(first, second, good.with(i, flipped(hash)));
        refuse(first, second, good.toSpliced(i, 1));
      }
    }
  }
});

test("between equal sizes and from the empty tree only the empty proof and the true roots hold", () => {
  assert.throws(() => verifyConsistency(treeOf(3), treeOf(3), [leafAt(0)]), invalid);
  assert.throws(() => verifyConsistency(treeOf(3), { size: 3, root: treeOf(4).root }, []), invalid);
  assert.throws(() => verifyConsistency(treeOf(0), treeOf(3), [leafAt(0)]), invalid);
  assert.throws(() => verifyConsistency({ size: 0, root: treeOf(1).root }, treeOf(3), []), invalid);
  assert.throws(
    () => verifyConsistency({ size: 0, root: treeOf(1).root }, { size: 0, root: treeOf(1).root }, []),
    invalid,
  );
  assert.throws(() => verifyConsistency(treeOf(0), { size: 3, root: leafAt(0).slice(1) }, []), invalid);
  verifyConsistency(treeOf(0), treeOf(3), []);
});

test("numbers that are no tree sizes are refused, however the caller came by them", async () => {
  for (const bad of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    assert.throws(() => rootFromInclusion(leafAt(0), 0, bad, []), invalid);
    assert.throws(() => rootFromInclusion(leafAt(0), bad, 8, []), invalid);
    assert.throws(() => verifyConsistency({ size: bad, root: leafAt(0) }, treeOf(8), []), invalid);
    assert.throws(() => verifyConsistency(treeOf(8), { size: bad, root: leafAt(0) }, []), invalid);
    await assert.rejects(proveInclusion(reader(), bad, 8), RangeError);
    await assert.rejects(proveConsistency(reader(), bad, 8), RangeError);
  }
  await assert.rejects(proveInclusion(reader(), 8, 8), RangeError);
});

test("a proof of the wrong shape is refused before anything is hashed", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.nat(),
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 60 }),
      (index, size, hashes) => {
        assert.throws(() => verifyInclusion(leafAt(0), index, { size, root: leafAt(1) }, hashes), invalid);
      },
    ),
  );
});

function flipped(hash: Uint8Array): Uint8Array {
  return hash.with(7, (hash[7] as number) ^ 1);
}
