import { VouchsafeError } from "../errors.ts";
import { type Digest, groundsAllow } from "../in-toto-attestation/index.ts";
import type { VerifiedAttestation } from "./verified-attestation.ts";

/**
 * Demands that the attestation is about the artifact with these digests: that it names it by one of them, of an
 * algorithm that is strong enough. Throws `VouchsafeError` (`subject-mismatch`).
 */
export function requireSubject(attestation: VerifiedAttestation, digests: readonly Digest[]): void {
  const strong = digests.filter(groundsAllow);
  const named = attestation.subjects.some((subject) =>
    subject.digests.some((digest) => strong.includes(digest)),
  );
  if (!named) throw new VouchsafeError("subject-mismatch", "the evidence does not name this artifact");
}
