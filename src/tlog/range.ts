import { type Frontier, grow } from "./frontier.ts";
import { type Proof, verifyConsistency } from "./proofs.ts";

/**
 * The frontier after these leaves, given as their leaf hashes, proved to stand in the tree from `before.size` on: with
 * the peaks before them they make a tree that the larger one extends. Neither `before` nor the proof need be believed.
 *
 * Throws `proof-invalid`.
 *
 * @param proof of consistency between the size after the leaves and that of the tree
 */
export function verifyRange(
  before: Frontier,
  leafHashes: readonly Uint8Array[],
  tree: { readonly size: number; readonly root: Uint8Array },
  proof: Proof,
): Frontier {
  const { after, root } = grow(before, leafHashes);
  verifyConsistency({ size: after.size, root }, tree, proof);
  return after;
}
