import { type Digest, sha256 } from "../in-toto-attestation/index.ts";

/** Names the evidence that a verdict was made from: sha256 over its attestations' sorted ids, a line each. */
export function evidenceSetHash(attestations: readonly Digest[]): Digest {
  return sha256([...attestations].sort().join("\n"));
}
