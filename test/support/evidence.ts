import type { Digest, JsonObject } from "../../src/in-toto-attestation/index.ts";
import type { VerificationPolicy } from "../../src/policy/policy.ts";
import type { Signer, VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import { attestationOf, keySigner, SIGNED_AT } from "./attestations.ts";
import { policyOf, RELEASE_SPEC } from "./policies.ts";

export const SCAN = "https://in-toto.io/attestation/vulns/v0.2";
export const REVIEW = "https://in-toto.io/attestation/human-review/v0.1";
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
