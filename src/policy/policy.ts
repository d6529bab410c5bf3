import type { Digest } from "../in-toto-attestation/types.ts";
import type { Join } from "./cel/joins.ts";
import type { Predicate } from "./cel.ts";
import type { Glob } from "./glob.ts";
import type { VersionedTag } from "./versioned-tag.ts";

export const API_VERSION = "vouchsafe.dev/v1";
export const KINDS = [
  "VerificationPolicy",
  "WorkloadPolicy",
  "Builder",
  "RetentionPolicy",
  "FederatedTrustDomain",
  "AgentEnrollment",
  "AccessPolicy",
] as const;
/** `enforce`: what it does not pass is denied. `audit`: what it would deny is told and recorded; it decides nothing. */
export const MODES = ["enforce", "audit"] as const;
export type Mode = (typeof MODES)[number];

/** A loaded policy document. Only `loadPolicySet` makes one. */
export interface VerificationPolicy {
  readonly name: string;
  readonly description?: string;
  /**
   * `sha256:…` of the canonical JSON of the document: comments and layout are not part of it; together with the hashes
   * of the builders that it uses, if any.
   */
  readonly hash: string;
  /** The file that it stands in. */
  readonly file: string;
  readonly spec: PolicySpec;
}

/** What evidence must say. A section that is absent demands nothing, except where its comment says otherwise. */
export interface PolicySpec {
  /** What becomes of its verdicts. Asks nothing. */
  readonly mode: Mode;
  readonly artifacts: ArtifactSelector;
  /** Who may sign. Never empty. */
  readonly signers: readonly SignerRule[];
  readonly predicateTypes?: readonly Glob[];
  /** How long evidence counts after it was signed, in milliseconds. */
  readonly maxAge?: number;
  /** Evidence of log, time and certificate transparency besides what trust itself asks for. */
  readonly thresholds?: ThresholdRule;
  readonly builders?: readonly BuilderRule[];
  readonly buildTypes?: readonly Glob[];
  readonly source?: SourceRule;
  readonly resolvedDependencies?: DependencyRules;
  /** Absent in a policy on provenance: no external parameter is allowed. */
  readonly externalParameters?: ParameterRules;
  /** What a verification summary must say, where the evidence is one. */
  readonly vsa?: SummaryRule;
  readonly rules: readonly Rule[];
  /** Further evidence: all of it must be there besides the attestation that the sections above ask about. */
  readonly evidence: readonly Requirement[];
  /** Whose word counts that another artifact holds this one; absent: what parsed manifests say, and nobody's. */
  readonly containment?: ContainmentRule;
  /** What must be true of that attestation and of the further evidence together. */
  readonly joins: readonly JoinRule[];
  /** Who must have approved the artifact besides; absent: nobody. No part of the verdict. */
  readonly approvals?: ApprovalRule;
  /** What a verification summary says that the artifact was verified as: a URI for `fillResourceUri`. Asks nothing. */
  readonly resourceUri?: string;
}

/** Names match those that the evidence gives its subjects; lists are alternatives, both members must hold. */
export interface ArtifactSelector {
  readonly names?: readonly Glob[];
  readonly digests?: readonly Digest[];
}

/**
 * A certificate's identity under an OIDC issuer, by whatever instance of the trust snapshot vouches for it or by the one of this
 * name; or a key of the trust snapshot by its name.
 */
export type SignerRule =
  | {
      readonly case: "certificate";
      readonly issuer: Glob;
      readonly identity: Glob;
      readonly instance?: string;
    }
  | { readonly case: "key"; readonly name: string };

/**
 * A builder that a policy takes: one that is written out in it, or a Builder document that it uses. A builder id is
 * believed only from a signer that is mapped to it: `signers`, or all of the policy's.
 */
export interface BuilderRule {
  /** The Builder's name; absent for one that is written out. */
  readonly use?: string;
  readonly ids: readonly Glob[];
  /** The SLSA build level that this builder is trusted for, 1 to 4. */
  readonly level: number;
  /** That level, where the policy itself says it of a Builder that it uses. */
  readonly loweredTo?: number;
  readonly signers?: readonly SignerRule[];
  readonly buildTypes?: readonly Glob[];
  readonly rules: readonly Rule[];
}

/** What the build took in, by the provenance's resolved dependencies (materials, before v1). */
export interface DependencyRules {
  /** Each dependency matches one of these. */
  readonly allow?: readonly Glob[];
  /** Each of these is matched by a dependency. */
  readonly require?: readonly Glob[];
  /** Whether each must be named by a digest too. */
  readonly pinned?: boolean;
}

/** Lists are alternatives; all members must hold. */
export interface SourceRule {
  readonly repositories?: readonly Glob[];
  readonly refs?: readonly Glob[];
  /** Versions that the tag must be of. */
  readonly versionedTags?: readonly VersionedTag[];
  /** Ids of git commits, in hex. */
  readonly commits?: readonly string[];
}

/** Who may say by a statement of containment that another artifact holds this one. Never empty. */
export interface ContainmentRule {
  readonly signers: readonly SignerRule[];
  /** How long it counts after it was signed, in milliseconds. */
  readonly maxAge?: number;
}

/** A CEL expression that must be true of the attestation. */
export interface Rule {
  readonly name: string;
  readonly expression: string;
  /** What people are told that it wants. */
  readonly message?: string;
  readonly holds: Predicate;
}

/** Evidence that must be there besides the main one, by its name in checks and joins. */
export interface Requirement {
  readonly name: string;
  /** What it is about: the artifact (if absent), or the commit that the main attestation says it was built from. */
  readonly about?: "artifact" | "source";
  readonly predicateTypes: readonly Glob[];
  /** Who may sign it. Never empty. */
  readonly signers: readonly SignerRule[];
  /** How long it counts after it was signed, in milliseconds. */
  readonly maxAge?: number;
  readonly vsa?: SummaryRule;
  readonly rules: readonly Rule[];
  /** How many different signers it takes; absent: one. Where it is given, joins see a list. */
  readonly require?: { readonly atLeast: number };
}

/** Of how many operators there must be evidence; absent: as many as trust asks for. */
export interface ThresholdRule {
  readonly logEntries?: number;
  readonly timestamps?: number;
  readonly scts?: number;
}

/** What a SLSA verification summary must say for its verifier's word to be taken. */
export interface SummaryRule {
  readonly verifierIds: readonly Glob[];
  readonly resourceUris: readonly Glob[];
  /** Each must be met, by itself or by a higher level of its track. */
  readonly levels?: readonly string[];
  /** Of a summary about a source revision, which references it must name; absent: the one that was built from, if it names any. */
  readonly sourceRefs?: readonly Glob[];
}

/** A CEL expression that must be true of several attestations at once. */
export interface JoinRule extends Join {
  readonly name: string;
  readonly expression: string;
  /** What people are told that it wants. */
  readonly message?: string;
}

export interface ApprovalRule {
  /** How many different approvers it takes, 1 to 16. */
  readonly required: number;
  /** Who may approve. Never empty. */
  readonly from: readonly ApproverRule[];
  /** How long an approval counts, in milliseconds. */
  readonly expiresAfter: number;
}

/** A token with the role `approver`, by its name, or a signer of approval attestations. */
export type ApproverRule = { readonly case: "token"; readonly name: Glob } | SignerRule;

/** What the provenance's `externalParameters` may hold: one that no member names fails. */
export interface ParameterRules {
  /** Must be there, and match. */
  readonly require: ReadonlyMap<string, ParameterPattern>;
  /** Need not be there; if it is, must match. */
  readonly allow: ReadonlyMap<string, ParameterPattern>;
  /** May hold anything. */
  readonly ignore: readonly Glob[];
}

/**
 * `text`: a string that the glob matches · `value`: that boolean, number or null · `anyOf`: one of these, and of
 * a list each element · `members`: an object with all these members, each matching, and no others.
 */
export type ParameterPattern =
  | { readonly case: "text"; readonly glob: Glob }
  | { readonly case: "value"; readonly value: boolean | number | null }
  | { readonly case: "anyOf"; readonly patterns: readonly ParameterPattern[] }
  | { readonly case: "members"; readonly members: ReadonlyMap<string, ParameterPattern> };

/** The mode of one of the policies in force. A name that none of them has denies, as an enforced one does. */
export function modeOf(
  name: string,
  policies: ReadonlyMap<string, { readonly spec: Pick<PolicySpec, "mode"> }>,
): Mode {
  return policies.get(name)?.spec.mode ?? "enforce";
}

/** Whether the policy reads SLSA provenance, so that evidence without it fails. */
export function demandsProvenance(spec: PolicySpec): boolean {
  return (
    spec.builders !== undefined ||
    spec.buildTypes !== undefined ||
    spec.externalParameters !== undefined ||
    spec.resolvedDependencies !== undefined
  );
}

/** Whether it asks for evidence about the commit that the artifact was built from. */
export function asksAboutSource({ evidence }: PolicySpec): boolean {
  return evidence.some(({ about }) => about === "source");
}
