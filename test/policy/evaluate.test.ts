import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Digest, digestOf, hexOf } from "../../src/in-toto-attestation/index.ts";
import { appliesTo, evaluate } from "../../src/policy/evaluate.ts";
import { alone } from "../../src/policy/question.ts";
import type { VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import {
  anArtifact,
  attestationOf,
  COMMIT,
  GITHUB_BUILD_TYPE,
  HOSTED_RUNNER,
  type Release,
  releaseOf,
  SIGNED_AT,
  workflowSigner,
} from "../support/attestations.ts";
import { IDENTITY, missesOf, NOW, policyOf, RELEASE_POLICY, RELEASE_SPEC } from "../support/policies.ts";

test("a release that is all that the policy asks for passes", () => {
  const artifact = anArtifact();
  const release = releaseOf({ artifact });
  const evaluation = evaluate(RELEASE_POLICY, alone(artifact, [release]), NOW);
  assert.equal(evaluation.outcome, "passed");
  assert.equal(evaluation.slsaLevel, 3);
  assert.deepEqual(evaluation.attestations, [release.id]);
  assert.equal(evaluation.validUntil, SIGNED_AT + 30 * 86_400_000);
  assert.ok(evaluation.checks.every(({ passed, attestation }) => passed && attestation === release.id));
});

describe("one thing that is not as the policy asks fails that check and no other", () => {
  const OWN_SIGNER = workflowSigner(IDENTITY.replace("*", "1"), {
    sourceRepositoryUri: "https://github.com/acme/app",
    sourceRepositoryRef: "refs/tags/v1.2.3",
  });
  const MISSES: readonly [name: string, change: Omit<Release, "artifact">, ...failed: string[]][] = [
    ["an unknown builder", { builderId: `${HOSTED_RUNNER}2` }, "builder"],
    [
      "a builder that a known one is a prefix of",
      { builderId: "https://github.com/actions/runner" },
      "builder",
    ],
    ["another build type", { buildType: `${GITHUB_BUILD_TYPE}1` }, "buildType"],
    ["another subject name", { subjectName: "tool.tar.gz" }, "artifact.name"],
    ["an old signature", { times: [NOW - 30 * 86_400_000] }, "maxAge"],
    ["an old signature with a fresh timestamp", { times: [NOW - 31 * 86_400_000, NOW] }, "maxAge"],
    ["no trusted time", { times: [] }, "maxAge"],
    [
      "another commit in the certificate",
      { claims: { sourceRepositoryDigest: "0".repeat(40) } },
      "source.agreement",
    ],
    [
      "another repository in the certificate",
      { claims: { sourceRepositoryUri: "https://github.com/evil/app" } },
      "source.agreement",
    ],
    [
      "another repository in provenance that a trusted signer signed",
      { repository: "https://github.com/evil/app", signer: OWN_SIGNER },
      "externalParameters.workflow.repository",
      "source.agreement",
      "source.repository",
    ],
    [
      "another ref",
      { ref: "refs/heads/v1" },
      "builder",
      "externalParameters.workflow.ref",
      "rule:pushed",
      "signer",
      "source.ref",
    ],
    [
      "an external parameter that is not listed",
      {
        externalParameters: {
          workflow: {
            repository: "https://github.com/acme/app",
            ref: "refs/tags/v1.2.3",
            path: ".github/workflows/release.yml",
          },
          debug: true,
        },
      },
      "externalParameters",
    ],
  ];
  for (const [name, change, ...failed] of MISSES) {
    test(name, () => {
      const artifact = anArtifact();
      assert.deepEqual(missesOf(RELEASE_POLICY, artifact, releaseOf({ artifact, ...change })), failed);
    });
  }

  test("a false rule", () => {
    const artifact = anArtifact();
    const spec = RELEASE_SPEC.replace('"push"', '"workflow_dispatch"');
    assert.deepEqual(missesOf(policyOf(spec), artifact, releaseOf({ artifact })), ["rule:pushed"]);
  });

  test("another commit, and a tag of another version", () => {
    const artifact = anArtifact();
    const sourced = (source: string) => policyOf(RELEASE_SPEC.replace("refs: [refs/tags/v*]", source));
    const misses = (source: string) => missesOf(sourced(source), artifact, releaseOf({ artifact }));
    assert.deepEqual(misses(`commits: ["${"0".repeat(40)}"]`), ["source.commit"]);
    assert.deepEqual(misses("versionedTags: [v1.3, v2]"), ["source.versionedTag"]);
    const right = sourced(`commits: ["${"0".repeat(40)}", "${COMMIT}"], versionedTags: [v1.2]`);
    assert.equal(evaluate(right, alone(artifact, [releaseOf({ artifact })]), NOW).outcome, "passed");
  });

  test("a predicate that is not provenance", () => {
    const artifact = anArtifact();
    const scan = attestationOf({
      artifact,
      subjectName: "app.tar.gz",
      predicateType: "https://example.com/scan/v1",
      predicate: {},
      signer: OWN_SIGNER,
    });
    const failed = missesOf(RELEASE_POLICY, artifact, scan);
    assert.deepEqual(failed, ["predicateType", "provenance", "rule:pushed"]);
  });

  test("provenance that is malformed", () => {
    const artifact = anArtifact();
    const broken = attestationOf({
      artifact,
      subjectName: "app.tar.gz",
      predicateType: "https://slsa.dev/provenance/v1",
      predicate: { buildDefinition: { buildType: 7 } },
      signer: OWN_SIGNER,
    });
    assert.deepEqual(missesOf(RELEASE_POLICY, artifact, broken), ["provenance", "rule:pushed"]);
  });
});

describe("what cannot pass", () => {
  test("an artifact without evidence", () => {
    assert.deepEqual(missesOf(RELEASE_POLICY, anArtifact()), ["evidence"]);
  });

  test("evidence about another artifact", () => {
    assert.deepEqual(missesOf(RELEASE_POLICY, anArtifact(), releaseOf({ artifact: anArtifact() })), [
      "evidence",
    ]);
  });

  test("a digest that is too weak to ground anything", () => {
    for (const weak of [digestOf("sha1", "0".repeat(40)), digestOf("gitCommit", "0".repeat(40))]) {
      assert.deepEqual(missesOf(RELEASE_POLICY, weak, releaseOf({ artifact: weak })), ["artifact.algorithm"]);
    }
  });

  test("the same digits under another algorithm", () => {
    const artifact = anArtifact();
    const other = digestOf("sha3_256", hexOf(artifact));
    assert.deepEqual(missesOf(RELEASE_POLICY, artifact, releaseOf({ artifact: other })), ["evidence"]);
  });

  test("a plain object that looks like a verified attestation", () => {
    const artifact = anArtifact();
    const forged = { ...releaseOf({ artifact }) } as VerifiedAttestation;
    assert.throws(() => evaluate(RELEASE_POLICY, alone(artifact, [forged]), NOW), TypeError);
  });

  test("evidence on the instant that it gets too old", () => {
    const artifact = anArtifact();
    const evaluation = evaluate(RELEASE_POLICY, alone(artifact, [releaseOf({ artifact })]), NOW);
    const { validUntil = 0 } = evaluation;
    const at = (now: number) =>
      evaluate(RELEASE_POLICY, alone(artifact, [releaseOf({ artifact })]), now).outcome;
    assert.deepEqual([at(validUntil - 1), at(validUntil)], ["passed", "failed"]);
  });
});

describe("which artifacts a policy applies to", () => {
  const applies = (artifacts: string, artifact: Digest, ...names: string[]) =>
    appliesTo(
      policyOf(`  artifacts: ${artifacts}\n  signers: [{key: k}]\n`),
      alone(
        artifact,
        names.map((subjectName) => releaseOf({ artifact, subjectName })),
      ),
    );
  const artifact = anArtifact();

  test("by name", () => {
    assert.equal(applies('{names: ["app-*"]}', artifact, "tool", "app-1"), true);
    assert.equal(applies('{names: ["app-*"]}', artifact, "tool"), false);
    assert.equal(applies('{names: ["app-*"]}', artifact), false);
    assert.equal(applies('{names: ["**"]}', artifact), true);
    assert.equal(applies('{names: ["pkg:npm/%40acme/app@*"]}', artifact, "pkg:npm/%40acme/app@1.2.3"), true);
  });

  test("by digest, and by both", () => {
    assert.equal(applies(`{digests: ["${artifact}"]}`, artifact), true);
    assert.equal(applies(`{digests: ["${artifact}"]}`, anArtifact()), false);
    assert.equal(applies(`{digests: ["${artifact}"], names: [app]}`, artifact, "tool"), false);
    assert.equal(applies(`{digests: ["${artifact}"], names: [app]}`, artifact, "app"), true);
  });
});
