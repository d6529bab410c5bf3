import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { evaluate } from "../../src/policy/evaluate.ts";
import { alone } from "../../src/policy/question.ts";
import { anArtifact, keySigner, releaseOf, SIGNED_AT, workflowSigner } from "../support/attestations.ts";
import { IDENTITY, missesOf, NOW, policyOf, RELEASE_POLICY } from "../support/policies.ts";

describe("who may speak for a builder", () => {
  const SHARED = "https://github.com/shared/builders/.github/workflows/go.yml@refs/tags/v2";
  const spec = `
  artifacts: {names: ["**"]}
  signers:
    - {issuer: https://token.actions.githubusercontent.com, identity: "${SHARED}"}
    - {key: laptop}
  builders:
    - {id: "${SHARED}", level: 3, signers: [{issuer: https://token.actions.githubusercontent.com, identity: "${SHARED}"}]}
    - {id: "**", level: 1}
  externalParameters: {ignore: ["**"]}
`;
  const claims = { sourceRepositoryUri: "https://github.com/acme/app" };

  test("the signer that the policy maps to it is believed", () => {
    const artifact = anArtifact();
    const release = releaseOf({ artifact, builderId: SHARED, signer: workflowSigner(SHARED, claims) });
    assert.equal(evaluate(policyOf(spec), alone(artifact, [release]), NOW).slsaLevel, 3);
  });

  test("another trusted signer that claims the same builder gets only what it is mapped to", () => {
    const artifact = anArtifact();
    const release = releaseOf({ artifact, builderId: SHARED, signer: keySigner("laptop") });
    assert.equal(evaluate(policyOf(spec), alone(artifact, [release]), NOW).slsaLevel, 1);
    const strict = policyOf(spec.replace('    - {id: "**", level: 1}\n', ""));
    assert.deepEqual(missesOf(strict, artifact, release), ["builder"]);
  });

  test("another issuer's certificate with the same identity is somebody else's", () => {
    const artifact = anArtifact();
    const claims = { sourceRepositoryUri: "https://github.com/acme/app" };
    const signer = {
      ...workflowSigner(IDENTITY.replace("*", "1"), claims),
      issuer: "https://issuer.example",
    };
    assert.deepEqual(missesOf(RELEASE_POLICY, artifact, releaseOf({ artifact, signer })), [
      "builder",
      "rule:pushed",
      "signer",
    ]);
  });

  test("the evidence of the highest level is what a pass rests on", () => {
    const artifact = anArtifact();
    const low = releaseOf({
      artifact,
      builderId: SHARED,
      signer: keySigner("laptop"),
      times: [SIGNED_AT + 1],
    });
    const high = releaseOf({ artifact, builderId: SHARED, signer: workflowSigner(SHARED, claims) });
    for (const evidence of [
      [low, high],
      [high, low],
    ]) {
      const { slsaLevel, attestations } = evaluate(policyOf(spec), alone(artifact, evidence), NOW);
      assert.deepEqual([slsaLevel, attestations], [3, [high.id]]);
    }
  });

  test("a key's name is no certificate's identity", () => {
    const artifact = anArtifact();
    const policy = policyOf(spec.replace("{key: laptop}", `{key: "${SHARED}1"}`));
    const release = releaseOf({ artifact, builderId: SHARED, signer: workflowSigner(`${SHARED}1`, claims) });
    assert.ok(missesOf(policy, artifact, release).includes("signer"));
  });
});
