import { VouchsafeError } from "../errors.ts";
import { type Digest, groundsAllow } from "../in-toto-attestation/index.ts";
import type { VerifiedAttestation } from "./verified-attestation.ts";

/**
 * Demands that the attestation is about the artifact with these digests: that it names it by one of them, of an
 * algorithm that is strong enough, and gives that one. Throws `VouchsafeError` (`subject-mismatch`).
 */
export function requireSubject({ subjects }: VerifiedAttestation, digests: readonly Digest[]): Digest {
  const named = digests
    .filter(groundsAllow)
    .find((digest) => subjects.some((subject) => subject.digests.includes(digest)));
  if (named !== undefined) return named;
  throw new VouchsafeError("subject-mismatch", "the evidence does not name this artifact");
}
