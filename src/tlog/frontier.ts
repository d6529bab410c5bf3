import { EMPTY_ROOT, HASH_BYTES, nodeHash } from "./hash.ts";
import { fullSubtrees, inclusionPath, isTreeSize, peaksOf, type Subtree } from "./subtrees.ts";

/**
 * The right edge of a tree: all that is needed to append to it. The peaks are the hashes of the full
 * subtrees that the tree consists of, largest first: one for each 1 bit of the size.
 */
export interface Frontier {
  readonly size: number;
  readonly peaks: readonly Uint8Array[];
}

export const EMPTY_FRONTIER: Frontier = { size: 0, peaks: [] };

/** The root hash of the tree that ends at this frontier (RFC 6962, 2.1: MTH). */
export function frontierRoot(frontier: Frontier): Uint8Array {
  return frontier.peaks.reduceRight<Uint8Array | undefined>(joinPeak, undefined) ?? EMPTY_ROOT;
}

function joinPeak(right: Uint8Array | undefined, left: Uint8Array): Uint8Array {
  return right === undefined ? left : nodeHash(left, right);
}

/** The peaks one after the other, as they are stored beside the size. */
export function encodePeaks(frontier: Frontier): Uint8Array {
  return Buffer.concat(frontier.peaks);
}

/** Reads back what `encodePeaks` wrote; throws `RangeError` when there are not as many as the size demands. */
export function decodeFrontier(size: number, bytes: Uint8Array): Frontier {
  if (!isTreeSize(size)) throw new RangeError(`${size} is no tree size`);
  const count = peaksOf(size).length;
  if (bytes.length !== count * HASH_BYTES)
    throw new RangeError(`a tree of ${size} leaves has ${count} peaks`);
  const peaks = Array.from({ length: count }, (_, i) => bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES));
  return { size, peaks };
}

/** What an append made of a frontier. */
export interface Growth {
  readonly before: Frontier;
  readonly after: Frontier;
  readonly root: Uint8Array;
  /** Proof that a leaf of this append is in the tree after it. Needs `before.size <= index < after.size`. */
  inclusionProof(index: number): Uint8Array[];
  /** Hash of a full subtree that this append completed, or undefined when it was there before. */
  completed(subtree: Subtree): Uint8Array | undefined;
}

/** Neighbouring full subtrees of one height, the first of which is at index `first`. */
interface Row {
  readonly first: number;
  readonly hashes: readonly Uint8Array[];
}

/**
 * Appends leaves, given as their leaf hashes. Reads nothing but the frontier: each node that a new leaf's
 * proof needs is either an old peak or made by this append. About one hash a leaf.
 */
export function grow(before: Frontier, leafHashes: readonly Uint8Array[]): Growth {
  const size = before.size + leafHashes.length;
  const rows = growRows(before, leafHashes, size);

  // Climb along the right edge: `edge[h]` is the hash of the leaves that no full subtree of height h covers.
  const edge: (Uint8Array | undefined)[] = [];
  const peaks: Uint8Array[] = [];
  let rest: Uint8Array | undefined;
  for (const [height, row] of rows.entries()) {
    edge.push(rest);
    const count = fullSubtrees(height, size);
    if (count % 2 === 0) continue;
    const peak = hashIn(row, count - 1);
    peaks.unshift(peak);
    rest = joinPeak(rest, peak);
  }

  const subtreeHash = ({ height, index }: Subtree): Uint8Array => {
    const row = rows[height];
    const cutOff = index === fullSubtrees(height, size) ? edge[height] : undefined;
    if (cutOff !== undefined) return cutOff;
    if (row === undefined) throw new RangeError("no such subtree");
    return hashIn(row, index);
  };

  return {
    before,
    after: { size, peaks },
    root: rest ?? EMPTY_ROOT,
    inclusionProof(index) {
      if (!(index >= before.size && index < size))
        throw new RangeError(`leaf ${index} is not of this append`);
      return inclusionPath(index, size).map(subtreeHash);
    },
    completed({ height, index }) {
      if (index < fullSubtrees(height, before.size)) return undefined;
      const row = rows[height];
      return row?.hashes[index - row.first];
    },
  };
}

/**
 * Every full subtree that the leaves complete, a row for each height up to the new tree's highest. Where the
 * old tree had an odd number of subtrees of a height, the last is a peak: it opens the row as the left half
 * of the first new pair.
 */
function growRows(before: Frontier, leafHashes: readonly Uint8Array[], size: number): Row[] {
  const rows: Row[] = [];
  const oldPeaks = [...before.peaks];
  let grown = leafHashes;
  for (let height = 0; fullSubtrees(height, size) > 0; height += 1) {
    const oldCount = fullSubtrees(height, before.size);
    const peak = oldCount % 2 === 1 ? oldPeaks.pop() : undefined;
    const row =
      peak === undefined
        ? { first: oldCount, hashes: grown }
        : { first: oldCount - 1, hashes: [peak, ...grown] };
    rows.push(row);
    grown = pairs(row.hashes);
  }
  return rows;
}

function pairs(hashes: readonly Uint8Array[]): Uint8Array[] {
  const parents: Uint8Array[] = [];
  for (let i = 1; i < hashes.length; i += 2) {
    parents.push(nodeHash(hashes[i - 1] as Uint8Array, hashes[i] as Uint8Array));
  }
  return parents;
}

function hashIn(row: Row, index: number): Uint8Array {
  const found = row.hashes[index - row.first];
  if (found === undefined) throw new RangeError("a subtree before the frontier was asked for");
  return found;
}
