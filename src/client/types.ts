import type { Approval, Exception } from "./approval-types.ts";
import type { Quarantine } from "./quarantines.ts";

/**
 * What the API answers, as JSON. Digests are `algorithm:hex`, times RFC 3339 in UTC, hashes `sha256:hex`,
 * bytes base64. A test holds these against the server's own description of its answers.
 */

export interface Receipt {
  readonly index: number;
  readonly treeSize: number;
  readonly inclusionProof: readonly string[];
  readonly checkpoint: string;
  readonly durable: boolean;
  /** Whether the quorum of the log's witnesses has cosigned the checkpoint. */
  readonly witnessed: boolean;
}

export type Signer =
  | {
      readonly case: "certificate";
      readonly issuer: string;
      readonly identity: string;
      readonly instance: string;
    }
  | { readonly case: "key"; readonly name: string; readonly keyId: string };

export interface AttestationSummary {
  readonly id: string;
  readonly mediaType: string;
  readonly predicateType: string | null;
  readonly signer: Signer;
  readonly subjects: readonly { readonly name?: string; readonly digests: readonly string[] }[];
  readonly times: readonly string[];
  readonly source: { readonly repository?: string; readonly ref?: string; readonly commit?: string };
  readonly builder: string | null;
  readonly index: number;
}

export interface Check {
  readonly check: string;
  readonly passed: boolean;
  readonly expected: string;
  readonly actual: string;
  readonly attestation?: string;
}

export type Outcome = "passed" | "failed";

export interface VerdictSummary {
  readonly policy: string;
  readonly policyHash: string;
  readonly artifacts: readonly string[];
  readonly outcome: Outcome;
  readonly slsaLevel: number;
  readonly checks: readonly Check[];
}

export interface Pushed {
  readonly attestation: AttestationSummary;
  readonly receipt: Receipt;
  readonly verdicts: readonly VerdictSummary[];
}

/** What became of one of several items of evidence, which count from 1; empty lines of JSON Lines do not count. */
export type ItemResult = { readonly item: number } & (
  | ({ readonly status: "accepted" | "known" } & Pushed)
  | { readonly status: "refused"; readonly problem: Problem }
);

/** RFC 9457, with a code of the closed list in src/errors.ts. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly [extension: string]: unknown;
}

export interface ArtifactFound {
  readonly digest: string;
  readonly name?: string;
  readonly attestations: readonly AttestationSummary[];
}

export interface ArtifactDetails {
  readonly digest: string;
  readonly names: readonly string[];
  readonly attestations: readonly AttestationSummary[];
  readonly verdicts: readonly (Omit<VerdictSummary, "artifacts"> & {
    readonly validUntil: string | null;
    readonly current: boolean;
  })[];
  readonly quarantines: readonly Quarantine[];
  readonly approvals: readonly Approval[];
  readonly exceptions: readonly Exception[];
  /** What its own manifest names, and the artifacts whose manifests name it. */
  readonly contains: readonly string[];
  readonly containedIn: readonly string[];
}

/** A manifest that was recorded: `digest` is what registries name it by. */
export interface ManifestRecorded {
  readonly digest: string;
  readonly mediaType: string;
  readonly contains: readonly string[];
  readonly receipt: Receipt;
}

export interface DecisionReason {
  readonly code: string;
  readonly message: string;
  readonly policy?: string;
  readonly checks?: readonly Check[];
  /** The exception by which the policy lets the artifact through. */
  readonly exception?: Omit<Exception, "artifact" | "policy" | "index">;
}

/** Whether a policy decides, or only tells what it would deny. */
export type Mode = "enforce" | "audit";

export interface Decision {
  readonly digest: string;
  readonly decision: "allow" | "deny";
  /** False for an allow that no policy vouches for: all that were named are in audit mode. */
  readonly enforced: boolean;
  readonly reasons: readonly DecisionReason[];
  readonly policies: readonly {
    readonly policy: string;
    readonly policyHash: string;
    readonly mode: Mode;
    readonly outcome: Outcome;
    readonly slsaLevel: number;
    readonly attestations: readonly string[];
    readonly validUntil: string | null;
  }[];
  readonly slsaLevel: number;
  /** The log size as of which this holds. */
  readonly asOf: number;
  readonly validUntil: string | null;
}

export interface PolicyDocument {
  readonly name: string;
  readonly text: string;
}

export interface PolicyName {
  readonly name: string;
  readonly hash: string;
  readonly mode: Mode;
}

export interface PolicyReload {
  readonly at: string;
  readonly outcome: "activated" | "active" | "unchanged" | "superseded" | "refused";
  /** Why it was refused. */
  readonly problem: { readonly code: string; readonly message: string } | null;
}

export interface ActivePolicies {
  readonly policySet: string | null;
  readonly documents: readonly PolicyDocument[];
  readonly policies: readonly PolicyName[];
  /** What came of reading its policy directory again, on the node that answers; null where it was not. */
  readonly lastReload: PolicyReload | null;
}

/** `receipt` is null when the same was active already. */
export interface PoliciesActivated {
  readonly policySet: string;
  readonly policies: readonly PolicyName[];
  readonly receipt: Receipt | null;
}

export interface DecisionToRecord {
  readonly artifact: string;
  readonly policies: readonly string[];
  readonly decision: "allow" | "deny";
  readonly asOf: number;
  readonly grantedTo: string;
  readonly issuer: string;
  readonly expiresAt?: string;
}

export interface DecisionRecorded {
  readonly current: "allow" | "deny";
  readonly enforced: boolean;
  readonly reasons: readonly DecisionReason[];
  readonly receipt: Receipt;
}

export type Role = "uploader" | "issuer" | "auditor" | "approver" | "operator" | "agent";

export interface TokenToCreate {
  readonly name: string;
  readonly roles: readonly Role[];
  /** The policies that an artifact must pass when this token asks about it. */
  readonly policies?: readonly string[];
  readonly mayChoosePolicy?: boolean;
  /** Seconds. */
  readonly expiresIn?: number;
}

export interface TokenCreated {
  readonly id: string;
  /** The secret: shown this once. */
  readonly token: string;
  readonly expiresAt: string;
}

export interface TokenSummary {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly policies: readonly string[];
  readonly mayChoosePolicy: boolean;
  readonly expiresAt: string;
  readonly revokedAt?: string | null;
}
