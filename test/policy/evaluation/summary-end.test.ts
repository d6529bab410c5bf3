import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate } from "../../../src/policy/evaluate.ts";
import { alone } from "../../../src/policy/question.ts";
import { anArtifact, attestationOf, keySigner } from "../../support/attestations.ts";
import { missesOf, NOW, policyOf } from "../../support/policies.ts";

const VSA = "https://slsa.dev/verification_summary/v1";
const END = NOW + 60_000;

const POLICIES = {
  "a policy without a section on summaries": policyOf(`
  artifacts: {names: ["**"]}
  signers: [{key: verifier}]
  predicateTypes: [${VSA}]
`),
  "a policy with one": policyOf(`
  artifacts: {names: ["**"]}
  signers: [{key: verifier}]
  predicateTypes: [${VSA}]
  vsa: {verifierIds: [https://verifier.example], resourceUris: ["**"]}
`),
  "a requirement": policyOf(`
  artifacts: {names: ["**"]}
  signers: [{key: verifier}]
  evidence:
    - {name: vouched, predicateTypes: [${VSA}], signers: [{key: verifier}]}
`),
};

function summary(validUntil?: string) {
  const artifact = anArtifact();
  const predicate = {
    verifier: { id: "https://verifier.example" },
    resourceUri: "pkg:oci/app",
    policy: { uri: "https://verifier.example/policy" },
    verificationResult: "PASSED",
    verifiedLevels: [],
    ...(validUntil !== undefined && { vouchsafe_validUntil: validUntil }),
  };
  const signer = keySigner("verifier");
  return { artifact, attestation: attestationOf({ artifact, predicateType: VSA, predicate, signer }) };
}

for (const [name, policy] of Object.entries(POLICIES)) {
  test(`a summary that says when it ends counts until then in ${name}`, () => {
    const { artifact, attestation } = summary(new Date(END).toISOString());
    const { outcome, validUntil } = evaluate(policy, alone(artifact, [attestation]), END - 1);
    assert.deepEqual({ outcome, validUntil }, { outcome: "passed", validUntil: END });
    const ended = evaluate(policy, alone(artifact, [attestation]), END);
    assert.equal(ended.outcome, "failed");
    const failed = ended.checks.filter(({ passed }) => !passed).map(({ check }) => check);
    assert.ok(
      failed.some((check) => check.endsWith("vsa.validUntil")),
      failed.join(),
    );
  });

  test(`a summary that does not say so does not end in ${name}`, () => {
    const { artifact, attestation } = summary();
    assert.equal(evaluate(policy, alone(artifact, [attestation]), NOW).validUntil, undefined);
  });
}

test("a summary whose end cannot be read is none", () => {
  for (const end of ["tomorrow", "2026-03-01", "2026-03-01T12:00:00+01:00", ""]) {
    const { artifact, attestation } = summary(end);
    assert.deepEqual(missesOf(POLICIES["a policy with one"], artifact, attestation), ["vsa"], end);
  }
});
