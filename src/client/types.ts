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
  readonly quarantines: readonly { readonly id: string; readonly reason: string }[];
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

export interface ActivePolicies {
  readonly policySet: string | null;
  readonly documents: readonly PolicyDocument[];
  readonly policies: readonly PolicyName[];
}

/** `receipt` is null when the same was active already. */
export interface PoliciesActivated {
  readonly policySet: string;
  readonly policies: readonly PolicyName[];
  readonly receipt: Receipt | null;
}

export interface ActiveTrust {
  readonly trust: string | null;
  readonly document: unknown;
  readonly summary: TrustSummary | null;
  /** What the TUF repositories of its instances last answered this node. */
  readonly sources: readonly TrustSource[];
}

/** When something may be believed: RFC 3339, inclusive; null for no bound. */
export interface Validity {
  readonly from: string | null;
  readonly until: string | null;
}

export interface TrustSummary {
  readonly sigstore: readonly {
    readonly name: string;
    readonly certificateAuthorities: readonly TrustedAuthority[];
    readonly timestampAuthorities: readonly TrustedAuthority[];
    readonly logs: readonly TrustedAuthority[];
    readonly ctLogs: readonly TrustedAuthority[];
    readonly thresholds: Readonly<Record<string, number>>;
    /** URL of the TUF repository that its newer trusted roots come from. */
    readonly repository: string | null;
  }[];
  readonly x509: readonly {
    readonly name: string;
    readonly authorities: readonly TrustedAuthority[];
    readonly uses: readonly string[];
    readonly thresholds: Readonly<Record<string, number>>;
  }[];
  readonly keys: readonly ({
    readonly name: string;
    readonly keyId: string;
    readonly predicateTypes: readonly string[] | null;
    readonly thresholds: Readonly<Record<string, number>>;
  } & Validity)[];
}

/** A log may have an id alone. */
export type TrustedAuthority = { readonly name: string | null; readonly logId?: string } & Validity;

export interface TrustSource {
  readonly name: string;
  readonly repository: string;
  /** Null: neither network nor cache vouched for a trusted root. */
  readonly from: "network" | "cache" | null;
  readonly refreshedAt: string;
  readonly expires: string | null;
  readonly problem: string | null;
}

export interface RefreshedTrust {
  readonly active: string | null;
  readonly sources: readonly TrustSource[];
  /** Null where the repositories publish what is active. */
  readonly proposal: {
    readonly document: unknown;
    readonly trust: string;
    readonly extendsActive: boolean;
  } | null;
}

export interface TrustActivated {
  readonly trust: string;
  /** Whether it only added to what was active. */
  readonly extendsPrevious: boolean;
  readonly receipt: Receipt | null;
}

export interface Quarantine {
  readonly id: string;
  readonly artifact: string;
  readonly reason: string;
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

export interface CustodyEvent {
  readonly index: number;
  readonly type: string;
  readonly time: string;
  readonly about: readonly string[];
  readonly previous: readonly (number | null)[];
  readonly salt: string;
  readonly leaf: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly inclusionProof: readonly string[];
}

export interface CustodyChain {
  readonly artifact: string;
  readonly origin: string;
  readonly treeSize: number;
  readonly checkpoint: string;
  readonly events: readonly CustodyEvent[];
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
