/**
 * Where things stand in a tree: plain numbers, no hashes.
 *
 * A subtree covers the leaves from `index * 2^height` up to `(index + 1) * 2^height`, cut off at the tree's
 * size. It is full when nothing is cut off; then its hash never changes again however the tree grows.
 */
export interface Subtree {
  readonly height: number;
  readonly index: number;
}

/** Whether `size` is a possible number of leaves, or a leaf's index: a whole number that JavaScript holds exactly. */
export function isTreeSize(size: unknown): size is number {
  return typeof size === "number" && Number.isSafeInteger(size) && size >= 0;
}

/** How many full subtrees of this height a tree of this size has. */
export function fullSubtrees(height: number, size: number): number {
  return Math.floor(size / 2 ** height);
}

/**
 * The siblings met on the way from a subtree up to the root, lowest first: what a proof is made of. A sibling
 * on the right edge may be cut off at the tree's size; one that would lie beyond it is no part of the tree.
 */
function siblingsToRoot(from: Subtree, size: number): Subtree[] {
  const siblings: Subtree[] = [];
  let { height, index } = from;
  while (2 ** height < size) {
    const sibling = index % 2 === 0 ? index + 1 : index - 1;
    if (sibling * 2 ** height < size) siblings.push({ height, index: sibling });
    index = Math.floor(index / 2);
    height += 1;
  }
  return siblings;
}

/** The parts of an inclusion proof (RFC 6962, 2.1.1: PATH). Needs `index < size`. */
export function inclusionPath(index: number, size: number): Subtree[] {
  return siblingsToRoot({ height: 0, index }, size);
}

/** The parts of a consistency proof (RFC 6962, 2.1.2: PROOF). Needs `0 < first < second`. */
export function consistencyPath(first: number, second: number): Subtree[] {
  // The largest full subtree that ends where the older tree ends. Both trees have it.
  let height = 0;
  while (first % 2 ** (height + 1) === 0) height += 1;
  const shared: Subtree = { height, index: first / 2 ** height - 1 };
  const siblings = siblingsToRoot(shared, second);
  // When it is the whole older tree, the verifier already knows its hash: the older root.
  return shared.index === 0 ? siblings : [shared, ...siblings];
}

/** The full subtrees that a subtree consists of in a tree of this size, from left to right. */
export function fullParts(subtree: Subtree, size: number): Subtree[] {
  const width = 2 ** subtree.height;
  const end = Math.min((subtree.index + 1) * width, size);
  const parts: Subtree[] = [];
  let begin = subtree.index * width;
  for (let height = subtree.height; begin < end; height -= 1) {
    if (end - begin < 2 ** height) continue;
    parts.push({ height, index: begin / 2 ** height });
    begin += 2 ** height;
  }
  return parts;
}

/** The full subtrees that the whole tree consists of, from left to right: its peaks. */
export function peaksOf(size: number): Subtree[] {
  return fullParts(wholeTree(size), size);
}

/** The lowest subtree that covers all leaves of a tree of this size. */
export function wholeTree(size: number): Subtree {
  let height = 0;
  while (2 ** height < size) height += 1;
  return { height, index: 0 };
}
