import {
  algorithmOf,
  type Digest,
  digestOf,
  hexOf,
  type JsonObject,
} from "../../src/in-toto-attestation/index.ts";
import type { VerificationPolicy } from "../../src/policy/policy.ts";
import type { Signer, VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import { attestationOf, COMMIT, keySigner, SIGNED_AT } from "./attestations.ts";
import { policyOf, RELEASE_SPEC } from "./policies.ts";

export const SCAN = "https://in-toto.io/attestation/vulns/v0.2";
export const REVIEW = "https://in-toto.io/attestation/human-review/v0.1";
export const CONTAINMENT = "https://vouchsafe.dev/containment/v1";
export const SUMMARY = "https://slsa.dev/verification_summary/v1";

/** The policy of `releaseOf` that asks for this besides; both lists are YAML, an item a line. */
export function besides(evidence: readonly string[], joins: readonly string[] = []): VerificationPolicy {
  const listed = (key: string, items: readonly string[]) =>
    items.length === 0 ? "" : `  ${key}:\n${items.map((item) => `    - ${item}\n`).join("")}`;
  return policyOf(RELEASE_SPEC + listed("evidence", evidence) + listed("joins", joins));
}

/** Evidence of a type by a key. */
export function evidenceBy(
  signer: string | Signer,
  artifact: Digest,
  predicateType: string,
  predicate: JsonObject = {},
  time = SIGNED_AT,
): VerifiedAttestation {
  return attestationOf({
    artifact,
    predicateType,
    predicate,
    signer: typeof signer === "string" ? keySigner(signer) : signer,
    times: [time],
  });
}

/** That one artifact holds another, by the word of a key. */
export function heldIn(
  container: Digest,
  artifact: Digest,
  signer = "packer",
  time = SIGNED_AT,
): VerifiedAttestation {
  const digest = { [algorithmOf(container)]: hexOf(container) };
  return evidenceBy(signer, artifact, CONTAINMENT, { container: { digest } }, time);
}

/** The commit that `releaseOf` names, as evidence about it names it. */
export const REVISION = digestOf("gitCommit", COMMIT);

export interface SourceSummary {
  readonly revision?: Digest;
  readonly signer?: string;
  readonly levels?: readonly string[];
  readonly refs?: readonly string[];
  readonly result?: "PASSED" | "FAILED";
  readonly resourceUri?: string;
  readonly verifierId?: string;
  readonly time?: number;
}

/** A Source VSA, as a source control system writes it (slsa.dev/spec/v1.2/source-requirements). */
export function sourceSummary(said: SourceSummary = {}): VerifiedAttestation {
  const {
    revision = REVISION,
    signer = "scs",
    levels = ["SLSA_SOURCE_LEVEL_3"],
    refs,
    time = SIGNED_AT,
  } = said;
  return attestationOf({
    artifact: revision,
    ...(refs && { annotations: { sourceRefs: refs } }),
    predicateType: SUMMARY,
    predicate: {
      verifier: { id: said.verifierId ?? "https://scs.example.com/verifier" },
      resourceUri: said.resourceUri ?? "git+https://github.com/acme/app",
      verificationResult: said.result ?? "PASSED",
      verifiedLevels: levels,
    },
    signer: keySigner(signer),
    times: [time],
  });
}
