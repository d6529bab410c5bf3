import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Digest } from "../../../src/in-toto-attestation/index.ts";
import { evaluate } from "../../../src/policy/evaluate.ts";
import { alone } from "../../../src/policy/question.ts";
import type { VerifiedAttestation } from "../../../src/verify/verified-attestation.ts";
import { anArtifact, attestationOf, keySigner, workflowSigner } from "../../support/attestations.ts";
import { NOW, policyOf } from "../../support/policies.ts";

describe("the newest evidence of a signer counts", () => {
  const spec = `
  artifacts: {names: ["**"]}
  signers: [{key: scanner}, {key: other}, {issuer: https://token.actions.githubusercontent.com, identity: "**"}]
  rules: [{name: clean, cel: predicate.findings == 0}]
`;
  const scan = (
    artifact: Digest,
    findings: number,
    time: number | undefined,
    signer = keySigner("scanner"),
  ) =>
    attestationOf({
      artifact,
      predicateType: "https://example.com/scan/v1",
      predicate: { findings },
      signer,
      times: time === undefined ? [] : [time],
    });
  const outcome = (artifact: Digest, ...evidence: VerifiedAttestation[]) =>
    evaluate(policyOf(spec), alone(artifact, evidence), NOW).outcome;

  test("an older passing scan does not hide a newer failing one", () => {
    const artifact = anArtifact();
    assert.equal(outcome(artifact, scan(artifact, 0, 1_000), scan(artifact, 7, 2_000)), "failed");
    assert.equal(outcome(artifact, scan(artifact, 0, 3_000), scan(artifact, 7, 2_000)), "passed");
  });

  test("an older one without its time counts beside a newer one, unless the policy asks for a time", () => {
    const artifact = anArtifact();
    const evidence = [scan(artifact, 0, undefined), scan(artifact, 7, NOW - 1_000)];
    assert.equal(outcome(artifact, ...evidence), "passed");
    for (const asks of ["maxAge: 1d", "thresholds: {timestamps: 1}"]) {
      const policy = policyOf(`${spec}  ${asks}\n`);
      assert.equal(evaluate(policy, alone(artifact, evidence), NOW).outcome, "failed", asks);
    }
  });

  test("another signer's does not displace it", () => {
    const artifact = anArtifact();
    const stranger = keySigner("other");
    assert.equal(outcome(artifact, scan(artifact, 0, 1_000), scan(artifact, 7, 2_000, stranger)), "passed");
  });

  test("a build of another repository by the same shared workflow does not displace it", () => {
    const artifact = anArtifact();
    const by = (repository: string) =>
      workflowSigner("https://github.com/shared/w/.github/workflows/w.yml@refs/tags/v1", {
        sourceRepositoryUri: repository,
      });
    const own = scan(artifact, 0, 1_000, by("https://github.com/acme/app"));
    const foreign = scan(artifact, 7, 2_000, by("https://github.com/evil/app"));
    assert.equal(outcome(artifact, own, foreign), "passed");
  });
});
