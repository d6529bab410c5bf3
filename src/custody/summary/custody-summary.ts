import type { Digest } from "../../in-toto-attestation/index.ts";
import type { Check } from "../../policy/types.ts";
import type { SignerSummary } from "../attestation-summary.ts";
import type { ChainKey, EventType } from "../events.ts";
import type { Listed } from "./listed.ts";

/**
 * What the custody of an artifact comes to, each line with the index of the event that says it. Times are RFC 3339.
 * `chain` is the other chain that the event is of, where it is of another than the artifact's.
 */
export interface CustodySummary {
  /** What evidence calls the artifact: anybody's words. At most 16. */
  readonly names: readonly string[];
  /** The other digests that evidence gives the same subject: each has a chain of its own. */
  readonly aliases: Listed<AliasLine>;
  readonly sources: Listed<SourceLine>;
  readonly builders: Listed<BuilderLine>;
  readonly evidence: Listed<EvidenceLine>;
  readonly revocations: Listed<RevocationLine>;
  readonly containment: Listed<ContainmentLine>;
  /** The newest under each policy. */
  readonly verdicts: Listed<VerdictLine>;
  readonly approvals: Listed<ApprovalLine>;
  readonly exceptions: Listed<ExceptionLine>;
  readonly identities: Listed<IdentityLine>;
  readonly denials: Listed<DenialLine>;
  readonly decisions: Listed<DecisionLine>;
  /** Of the three before, only events from this index on are told; null where all are. */
  readonly grantsSince: number | null;
  readonly quarantines: Listed<QuarantineLine>;
  /** Legal holds. */
  readonly holds: Listed<HoldLine>;
  /** All else that was recorded. */
  readonly others: Listed<OtherLine>;
}

export interface Line {
  readonly index: number;
  readonly time: string;
  readonly chain?: ChainKey;
}

/** The first event of each. */
export interface AliasLine extends Line {
  readonly digest: Digest;
}

/** A source that evidence names: of the certificate where there is one, else of the provenance. The first event of each. */
export interface SourceLine extends Line {
  readonly repository: string;
  readonly ref?: string;
  readonly commit?: string;
}

export interface BuilderLine extends Line {
  readonly builder: string;
}

export interface EvidenceLine extends Line {
  readonly attestation: Digest;
  readonly predicateType: string | null;
  readonly signer: SignerSummary;
  /** The event with which its bytes were deleted. */
  readonly expired: number | null;
  /** The revocation by which it does not count, as of the end. */
  readonly revoked: number | null;
}

/** Of evidence about the artifact, or about what its verdicts rest on. */
export interface RevocationLine extends Line {
  readonly id: string;
  /** In words: what is revoked. */
  readonly target: string;
  readonly reason: string;
  readonly withdrawn: number | null;
}

/** By the container's manifest. */
export interface ContainmentLine extends Line {
  readonly container: Digest;
  readonly contained: number;
}

export interface VerdictLine extends Line {
  readonly policy: string;
  readonly outcome: "passed" | "failed";
  readonly slsaLevel: number;
  readonly validUntil: string | null;
  readonly attestations: readonly string[];
  readonly restsOn: readonly Digest[];
  /** The nearest miss of one that failed. */
  readonly miss: Pick<Check, "check" | "expected" | "actual"> | null;
  /** The events that had put its policies and its trust in force. */
  readonly policiesActivated: number | null;
  readonly trustActivated: number | null;
  /** Whether its policy is in force as it was, as of the end. */
  readonly policyInForce: boolean;
}

export interface ApprovalLine extends Line {
  readonly id: string;
  readonly policy: string;
  readonly approver: string;
  readonly reason: string | null;
  readonly withdrawn: number | null;
}

export interface ExceptionLine extends Line {
  readonly id: string;
  readonly policy: string;
  readonly owner: string;
  readonly reason: string;
  readonly expiresAt: string;
  readonly withdrawn: number | null;
}

/** What one requester was granted of one SPIFFE ID: `index` is of the newest. */
export interface IdentityLine extends Line {
  readonly kind: string;
  readonly spiffeId: string;
  readonly requester: string;
  /** The first grant of these. */
  readonly first: number;
  readonly granted: number;
  readonly renewed: number;
  /** Neither expired nor revoked as of the end. */
  readonly live: number;
  /** How many were revoked before their end, and the newest event that did. */
  readonly revoked: number;
  readonly revokedIndex: number | null;
  /** When the last of them expires. */
  readonly expiresAt: string;
  /** The event that revoked the agent after it. */
  readonly agentRevoked: number | null;
}

/** Identities refused to one requester for the same reasons: `index` is of the newest. */
export interface DenialLine extends Line {
  readonly requester: string;
  readonly codes: readonly string[];
  readonly first: number;
  readonly count: number;
}

/** What one issuer recorded to have done alike on our word: `index` is of the newest. */
export interface DecisionLine extends Line {
  readonly issuer: string;
  readonly grantedTo: string;
  readonly decision: string;
  readonly first: number;
  readonly count: number;
  /** Whether they are verification summaries that were signed here. */
  readonly isSummary: boolean;
}

/** Of the artifact or of what its verdicts rest on, or by a rule that its decisions or grants meet. */
export interface QuarantineLine extends Line {
  readonly id: string;
  /** What is in quarantine, in words: an artifact by its digest. */
  readonly target: string;
  readonly reason: string;
  readonly lifted: number | null;
}

export interface HoldLine extends Line {
  readonly id: string;
  readonly reason: string;
  readonly released: number | null;
}

export interface OtherLine extends Line {
  readonly type: EventType;
  /** The retention class where it assigns one, and its reason. */
  readonly detail: string | null;
}
