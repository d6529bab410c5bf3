import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject } from "../../../src/in-toto-attestation/index.ts";
import { evaluate } from "../../../src/policy/evaluate.ts";
import { alone } from "../../../src/policy/question.ts";
import { anArtifact, releaseOf, SIGNED_AT } from "../../support/attestations.ts";
import { besides, evidenceBy, SUMMARY } from "../../support/evidence.ts";
import { NOW, policyOf } from "../../support/policies.ts";

const VSA =
  'vsa: {verifierIds: [https://verifier.example/v1], resourceUris: ["pkg:oci/app*"], levels: [SLSA_BUILD_LEVEL_2, SLSA_SOURCE_LEVEL_3]}';
const PASSED: JsonObject = {
  verifier: { id: "https://verifier.example/v1" },
  timeVerified: "2026-01-02T03:04:05Z",
  resourceUri: "pkg:oci/app@sha256:00",
  policy: { uri: "https://verifier.example/policy" },
  verificationResult: "PASSED",
  verifiedLevels: ["SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_4"],
};
const REQUIRED = besides([`{name: vsa, predicateTypes: ["${SUMMARY}"], signers: [{key: verifier}], ${VSA}}`]);

describe("a verification summary is taken for what its verifier says", () => {
  const CHANGES: readonly [what: string, change: JsonObject, failing?: string][] = [
    ["as asked", {}],
    ["at exactly the levels", { verifiedLevels: ["SLSA_BUILD_LEVEL_2", "SLSA_SOURCE_LEVEL_3"] }],
    ["another verifier", { verifier: { id: "https://verifier.example/v10" } }, "vsa.verifier"],
    ["another resource", { resourceUri: "pkg:oci/tool" }, "vsa.resourceUri"],
    ["failed", { verificationResult: "FAILED" }, "vsa.result"],
    ["a lower level", { verifiedLevels: ["SLSA_BUILD_LEVEL_1", "SLSA_SOURCE_LEVEL_3"] }, "vsa.levels"],
    ["no level of a track", { verifiedLevels: ["SLSA_BUILD_LEVEL_3"] }, "vsa.levels"],
    ["no level", { verifiedLevels: [] }, "vsa.levels"],
    ["malformed", { verifiedLevels: "SLSA_BUILD_LEVEL_3" }, "vsa"],
    ["two levels of a track", { verifiedLevels: ["SLSA_BUILD_LEVEL_3", "SLSA_BUILD_LEVEL_2"] }, "vsa"],
  ];
  for (const [what, change, failing] of CHANGES) {
    test(what, () => {
      const artifact = anArtifact();
      const summary = evidenceBy("verifier", artifact, SUMMARY, { ...PASSED, ...change });
      const { outcome, checks, slsaLevel } = evaluate(
        REQUIRED,
        alone(artifact, [releaseOf({ artifact }), summary]),
        NOW,
      );
      const failed = checks.flatMap(({ check, passed }) => (passed ? [] : [check]));
      assert.deepEqual(failed, failing === undefined ? [] : ["evidence.vsa", `evidence.vsa.${failing}`]);
      assert.deepEqual([outcome, slsaLevel], failing === undefined ? ["passed", 3] : ["failed", 0]);
    });
  }

  test("of several, the verdict rests on the one that counts longest", () => {
    const policy = besides([
      `{name: vsa, predicateTypes: ["${SUMMARY}"], signers: [{key: a}, {key: b}, {key: c}], maxAge: 1d, ${VSA}}`,
    ]);
    const artifact = anArtifact();
    const summary = (key: string, age: number, ends?: number) =>
      evidenceBy(
        key,
        artifact,
        SUMMARY,
        { ...PASSED, ...(ends && { vouchsafe_validUntil: new Date(ends).toISOString() }) },
        SIGNED_AT - age,
      );
    const release = releaseOf({ artifact });
    const longest = summary("b", 5_000);
    const all = [release, summary("a", 0, NOW + 60_000), longest, summary("c", 9_000)];
    const { validUntil, attestations } = evaluate(policy, alone(artifact, all), NOW);
    assert.equal(validUntil, SIGNED_AT - 5_000 + 86_400_000);
    assert.deepEqual(attestations, [release.id, longest.id]);
  });

  test("and nobody else's summary is", () => {
    const artifact = anArtifact();
    const forged = evidenceBy("mallory", artifact, SUMMARY, PASSED);
    assert.equal(
      evaluate(REQUIRED, alone(artifact, [releaseOf({ artifact }), forged]), NOW).outcome,
      "failed",
    );
  });
});

describe("a policy may rest on a summary alone", () => {
  const delegated = (vsa: string) =>
    policyOf(
      `  artifacts: {names: ["**"]}\n  signers: [{key: verifier}]\n  predicateTypes: ["${SUMMARY}"]\n  ${vsa}\n`,
    );

  test("its level is the one that the policy asks for, not what is claimed beyond", () => {
    const artifact = anArtifact();
    const summary = evidenceBy("verifier", artifact, SUMMARY, PASSED);
    const level = (vsa: string) => evaluate(delegated(vsa), alone(artifact, [summary]), NOW).slsaLevel;
    assert.equal(level(VSA), 2);
    assert.equal(level(VSA.replace(/, levels: .*\]/, "")), 0);
  });

  test("a false claim fails by its check", () => {
    const artifact = anArtifact();
    const summary = evidenceBy("verifier", artifact, SUMMARY, { ...PASSED, verificationResult: "FAILED" });
    const { checks } = evaluate(delegated(VSA), alone(artifact, [summary]), NOW);
    assert.equal(checks[0]?.check, "vsa.result");
  });
});
