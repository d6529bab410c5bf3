/**
 * An inclusion proof as text that verifies offline (c2sp.org/tlog-proof): index, hashes in base64 from the leaf's
 * sibling up, and the checkpoint, a signed note, of the tree that they lead to.
 */
export function formatTlogProof(proof: {
  readonly index: number;
  readonly hashes: readonly string[];
  readonly checkpoint: string;
}): string {
  const { index, hashes, checkpoint } = proof;
  return ["c2sp.org/tlog-proof@v1", `index ${index}`, ...hashes, "", checkpoint].join("\n");
}
