import type { Digest } from "../in-toto-attestation/types.ts";

/** One question that a policy asked, with what it wanted and what it found. */
export interface Check {
  /** Stable name of the rule, e.g. `signer`, `builder`, `source.repository`, `rule:no-debug`. */
  readonly check: string;
  readonly passed: boolean;
  readonly expected: string;
  readonly actual: string;
  /** The attestation that was looked at, where there was one. */
  readonly attestation?: Digest;
}

/** What a policy says of an artifact's evidence. `checks` are ordered: nearest miss first when it failed. */
export interface Evaluation {
  readonly outcome: "passed" | "failed";
  /** Highest SLSA build level that the evidence and the policy's builders support, 0 to 4. */
  readonly slsaLevel: number;
  readonly checks: readonly Check[];
  /** The attestations on which a pass rests (empty when it failed). */
  readonly attestations: readonly Digest[];
  /**
   * Other artifacts, sorted: of a pass those on whose evidence it rests too, and the same artifact by digests of other
   * algorithms, as evidence that passes has them; of a failure those whose evidence was looked at and could turn it. The
   * artifact's own evidence can turn either.
   */
  readonly restsOn: readonly Digest[];
  /** When the evaluation ceases to hold by time alone, in milliseconds since the epoch. */
  readonly validUntil?: number;
  /** Only of a pass, and only where the policy asks for approvals. */
  readonly approvals?: EvidenceOnApproval;
}

/** What the evidence says on who approved the artifact and whose approval would not count. */
export interface EvidenceOnApproval {
  /** Who built it and who had it built, by all names that the evidence has for them. */
  readonly actors: readonly string[];
  /** Approval attestations of this policy and these attestations by those who may give them. */
  readonly attested: readonly AttestedApproval[];
}

export interface AttestedApproval {
  readonly attestation: Digest;
  /** The certificate's identity, or the key's name. */
  readonly approver: string;
  /** Milliseconds since the epoch. */
  readonly signedAt: number;
}
