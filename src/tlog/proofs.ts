import { VouchsafeError } from "../errors.ts";
import type { Frontier } from "./frontier.ts";
import { EMPTY_ROOT, HASH_BYTES, nodeHash, sameHash } from "./hash.ts";
import {
  consistencyPath,
  fullParts,
  inclusionPath,
  isTreeSize,
  peaksOf,
  type Subtree,
  wholeTree,
} from "./subtrees.ts";
import { subtreeHash, type Tile, type TileReader, tileOf } from "./tiles.ts";

/** The hashes of an inclusion or consistency proof, lowest first. */
export type Proof = readonly Uint8Array[];

/** Proof that a leaf is in the tree of this size. Throws `RangeError` for a leaf outside it. */
export async function proveInclusion(readTiles: TileReader, index: number, size: number): Promise<Proof> {
  const [proof] = await proveInclusions(readTiles, [index], size);
  return proof as Proof;
}

/** The same for many leaves, in their order: each tile is read once. */
export async function proveInclusions(
  readTiles: TileReader,
  indexes: readonly number[],
  size: number,
): Promise<Proof[]> {
  const inTree = indexes.every((index) => isTreeSize(index) && index < size);
  if (!isTreeSize(size) || !inTree) throw new RangeError(`not all of these are leaves of a tree of ${size}`);
  const paths = indexes.map((index) => inclusionPath(index, size));
  const hash = await readSubtrees(readTiles, paths.flat(), size);
  return paths.map((path) => path.map(hash));
}

/** Proof that the tree of size `second` extends that of size `first`. Empty when `first` is 0 or both are equal. */
export async function proveConsistency(readTiles: TileReader, first: number, second: number): Promise<Proof> {
  if (!isTreeSize(first) || !isTreeSize(second) || first > second) {
    throw new RangeError(`no tree of ${first} grows to ${second}`);
  }
  if (first === 0 || first === second) return [];
  const path = consistencyPath(first, second);
  return path.map(await readSubtrees(readTiles, path, second));
}

/** The root of the first `size` leaves, from stored tiles. */
export async function treeRoot(readTiles: TileReader, size: number): Promise<Uint8Array> {
  if (size === 0) return EMPTY_ROOT;
  const whole = wholeTree(size);
  return (await readSubtrees(readTiles, [whole], size))(whole);
}

/** The frontier of the first `size` leaves of a tree, from its stored tiles. */
export async function readFrontier(readTiles: TileReader, size: number, treeSize: number): Promise<Frontier> {
  if (!isTreeSize(size) || !isTreeSize(treeSize) || size > treeSize)
    throw new RangeError(`a tree of ${treeSize} has no frontier at ${size}`);
  const peaks = peaksOf(size);
  return { size, peaks: peaks.map(await readSubtrees(readTiles, peaks, treeSize)) };
}

/** Fetches every tile that the subtrees need, once each, and gives back the function from subtree to hash. */
async function readSubtrees(
  readTiles: TileReader,
  subtrees: readonly Subtree[],
  size: number,
): Promise<(subtree: Subtree) => Uint8Array> {
  const wanted = new Map<string, Tile>();
  for (const part of subtrees.flatMap((subtree) => fullParts(subtree, size))) {
    const tile = tileOf(part, size);
    wanted.set(tileKey(tile), tile);
  }
  const contents = await readTiles([...wanted.values()]);
  const tiles = new Map([...wanted.keys()].map((key, i) => [key, contents[i]]));

  const known = new Map<string, Uint8Array>();
  return (subtree) => {
    const key = `${subtree.height}/${subtree.index}`;
    const hash = known.get(key) ?? hashOf(subtree);
    known.set(key, hash);
    return hash;
  };

  function hashOf(subtree: Subtree): Uint8Array {
    const hashes = fullParts(subtree, size).map((part) => {
      const tile = tiles.get(tileKey(tileOf(part, size)));
      if (tile === undefined) throw new RangeError("a tile that was asked for did not come");
      return subtreeHash(part, tile);
    });
    return hashes.reduceRight((right, left) => nodeHash(left, right));
  }
}

function tileKey({ level, tile }: Tile): string {
  return `${level}/${tile}`;
}

/**
 * The root that a tree of `size` leaves must have if `leafHash` stands at `index` in it and the proof is
 * right (RFC 9162, 2.1.3.2). Throws `proof-invalid` when no such proof can have this shape.
 */
export function rootFromInclusion(
  leafHash: Uint8Array,
  index: number,
  size: number,
  proof: Proof,
): Uint8Array {
  refuseUnless(isTreeSize(size) && isTreeSize(index) && index < size, "the leaf's index is not in the tree");
  refuseUnless(isHash(leafHash) && proof.every(isHash), "a hash of the proof is not 32 bytes");
  let hash = leafHash;
  // Where the subtree of this hash stands among those of its height, and where the last one of them does.
  let at = index;
  let last = size - 1;
  for (const sibling of proof) {
    refuseUnless(last > 0, "the proof goes on above the root");
    // On the right edge a subtree that has no sibling is its own parent.
    for (; at === last && at % 2 === 0; last /= 2) at /= 2;
    hash = at % 2 === 1 ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  refuseUnless(last === 0, "the proof ends below the root");
  return hash;
}

/** Throws `proof-invalid` unless the proof shows `leafHash` at `index` in the tree with this size and root. */
export function verifyInclusion(
  leafHash: Uint8Array,
  index: number,
  tree: { readonly size: number; readonly root: Uint8Array },
  proof: Proof,
): void {
  const root = rootFromInclusion(leafHash, index, tree.size, proof);
  refuseUnless(sameHash(root, tree.root), "the inclusion proof leads to another root");
}

/**
 * Throws `proof-invalid` unless the proof shows that the second tree has all leaves of the first, in the same
 * places (RFC 9162, 2.1.4.2). The empty tree is consistent with every tree, by the empty proof and its own root.
 */
export function verifyConsistency(
  first: { readonly size: number; readonly root: Uint8Array },
  second: { readonly size: number; readonly root: Uint8Array },
  proof: Proof,
): void {
  const sizesFit = isTreeSize(first.size) && isTreeSize(second.size) && first.size <= second.size;
  refuseUnless(sizesFit, "the first tree is larger than the second");
  for (const { size, root } of [first, second]) {
    refuseUnless(size > 0 || sameHash(root, EMPTY_ROOT), "the root of the empty tree is another");
  }
  if (first.size === 0 || first.size === second.size) {
    refuseUnless(proof.length === 0, "a proof between these sizes is empty");
    // From the empty tree nothing leads to the second root: that it could be one is all that can be asked of it.
    if (first.size === 0) refuseUnless(isHash(second.root), "the newer root is not 32 bytes");
    else refuseUnless(sameHash(first.root, second.root), "two roots for one size");
    return;
  }

  refuseUnless([first.root, second.root, ...proof].every(isHash), "a hash of the proof is not 32 bytes");
  const path = consistencyPath(first.size, second.size);
  refuseUnless(
    proof.length === path.length,
    `the proof has ${proof.length} hashes where ${path.length} belong`,
  );
  const [shared, siblings, hashes] = sharedSubtree(first, path, proof);

  // Up to the old root only what stood left of the shared subtree counts: the rest came later.
  const older = siblings.map((s) => s.index * 2 ** s.height < first.size);
  const oldRoot = climb(
    shared.subtree,
    shared.hash,
    siblings.filter((_, i) => older[i]),
    hashes.filter((_, i) => older[i]),
  );
  refuseUnless(sameHash(oldRoot, first.root), "the consistency proof does not lead to the older root");
  const newRoot = climb(shared.subtree, shared.hash, siblings, hashes);
  refuseUnless(sameHash(newRoot, second.root), "the consistency proof does not lead to the newer root");
}

/** The subtree that both trees end in, and what is left of the proof: it is the older root or opens the proof. */
function sharedSubtree(
  first: { readonly size: number; readonly root: Uint8Array },
  path: readonly Subtree[],
  proof: Proof,
): [{ subtree: Subtree; hash: Uint8Array }, readonly Subtree[], Proof] {
  const whole = wholeTree(first.size);
  if (2 ** whole.height === first.size) return [{ subtree: whole, hash: first.root }, path, proof];
  const [subtree, ...siblings] = path;
  const [hash, ...hashes] = proof;
  if (subtree === undefined || hash === undefined)
    throw new RangeError("a path between two sizes is not empty");
  return [{ subtree, hash }, siblings, hashes];
}

/** Joins a subtree's hash with its siblings', each on the side where it stands. */
function climb(from: Subtree, hash: Uint8Array, siblings: readonly Subtree[], hashes: Proof): Uint8Array {
  const begin = from.index * 2 ** from.height;
  return siblings.reduce((below, sibling, i) => {
    const beside = hashes[i] as Uint8Array;
    return sibling.index * 2 ** sibling.height < begin ? nodeHash(beside, below) : nodeHash(below, beside);
  }, hash);
}

function isHash(bytes: Uint8Array): boolean {
  return bytes.length === HASH_BYTES;
}

function refuseUnless(condition: boolean, message: string): asserts condition {
  if (!condition) throw new VouchsafeError("proof-invalid", message);
}
