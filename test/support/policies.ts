import assert from "node:assert/strict";
import type { Digest } from "../../src/in-toto-attestation/index.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { VerificationPolicy } from "../../src/policy/policy.ts";
import { alone } from "../../src/policy/question.ts";
import type { VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import { GITHUB_BUILD_TYPE, HOSTED_RUNNER, SIGNED_AT } from "./attestations.ts";

/** Identities of acme/app's release workflow at version tags. */
export const IDENTITY = "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v*";
/** When tests evaluate: a minute after evidence was signed. */
export const NOW = SIGNED_AT + 60_000;

/** Demands all that `releaseOf` says. */
export const RELEASE_SPEC = `
  artifacts: {names: ["app.*"]}
  signers:
    - {issuer: https://token.actions.githubusercontent.com, identity: "${IDENTITY}"}
  predicateTypes: [https://slsa.dev/provenance/v1]
  maxAge: 30d
  builders:
    - {id: ${HOSTED_RUNNER}, level: 3}
  buildTypes: [${GITHUB_BUILD_TYPE}]
  source: {repositories: [https://github.com/acme/app], refs: [refs/tags/v*]}
  externalParameters:
    require:
      workflow: {repository: https://github.com/acme/app, ref: refs/tags/v*, path: .github/workflows/release.yml}
  rules:
    - {name: pushed, cel: predicate.buildDefinition.internalParameters.github.event_name == "push"}
`;

/** A policy of this `spec`, indented by two. */
export function policyOf(spec: string): VerificationPolicy {
  const text = `apiVersion: vouchsafe.dev/v1\nkind: VerificationPolicy\nmetadata: {name: p}\nspec:\n${spec}`;
  const policy = loadPolicySet([{ name: "p.yaml", text }]).policies.get("p");
  assert.ok(policy);
  return policy;
}

export const RELEASE_POLICY = policyOf(RELEASE_SPEC);

/** The checks that failed of the attestation that is nearest to passing, sorted. */
export function missesOf(
  policy: VerificationPolicy,
  artifact: Digest,
  ...evidence: VerifiedAttestation[]
): string[] {
  const { outcome, checks, attestations, slsaLevel } = evaluate(policy, alone(artifact, evidence), NOW);
  assert.equal(outcome, "failed");
  assert.deepEqual([attestations, slsaLevel], [[], 0]);
  const nearest = checks.filter(({ attestation }) => attestation === checks[0]?.attestation);
  return nearest.flatMap(({ check, passed }) => (passed ? [] : [check])).sort();
}
