import type { Digest } from "../in-toto-attestation/types.ts";

/** An identity that is taken back before its end, as the body of `identity.revoked` names it. */
export interface RevokedIdentity {
  readonly kind: "x509" | "jwt";
  /** Serial number in hex, or the JWT's `jti`. */
  readonly serial: string;
  readonly spiffeId: string;
  /** The workload policy by which it was granted. */
  readonly workload: string;
  readonly requester: string;
  /** RFC 3339. */
  readonly expiresAt: string;
}

/** Identities of the same artifacts that are taken back for the same reasons: the body of `identity.revoked`. */
export interface RevokedIdentities {
  readonly identities: readonly RevokedIdentity[];
  /** What they were granted for. */
  readonly digests: readonly Digest[];
  /** Codes of denials, in the order of the alphabet, each once. */
  readonly reasons: readonly string[];
  /**
   * The newest event that touched what they rest on, for which they were decided anew; null where none did since they
   * were granted: time alone ended it.
   */
  readonly cause: number | null;
}
