import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Digest, JsonObject } from "../../../src/in-toto-attestation/index.ts";
import { evaluate } from "../../../src/policy/evaluate.ts";
import { alone } from "../../../src/policy/question.ts";
import { anArtifact, attestationOf, keySigner } from "../../support/attestations.ts";
import { missesOf, NOW, policyOf } from "../../support/policies.ts";

const SHA256 = "a".repeat(64);
const SHA1 = "b".repeat(40);
const SOURCE = { uri: "git+https://github.com/acme/app@refs/heads/main", digest: { gitCommit: SHA1 } };
const BASE = { uri: "pkg:docker/node@24", digest: { sha256: SHA256 } };

function policyOn(dependencies: string) {
  return policyOf(`
  artifacts: {names: ["**"]}
  signers: [{key: builder}]
  resolvedDependencies: ${dependencies}
  externalParameters: {ignore: ["**"]}
`);
}

const POLICY = policyOn(
  '{allow: ["git+https://github.com/acme/**", "pkg:docker/node@*"], require: ["pkg:docker/node@*"], pinned: true}',
);

/** Provenance of these dependencies, in the words of each version of SLSA's. */
const VERSIONS: readonly (readonly [string, (dependencies: readonly JsonObject[]) => JsonObject])[] = [
  [
    "v1",
    (resolvedDependencies) => ({
      buildDefinition: { buildType: "t", externalParameters: {}, resolvedDependencies },
      runDetails: { builder: { id: "b" } },
    }),
  ],
  ["v0.2", (materials) => ({ builder: { id: "b" }, buildType: "t", materials })],
  ["v0.1", (materials) => ({ builder: { id: "b" }, recipe: { type: "t" }, materials })],
];

function provenance(artifact: Digest, version: string, predicate: JsonObject) {
  const predicateType = `https://slsa.dev/provenance/${version}`;
  return attestationOf({ artifact, predicateType, predicate, signer: keySigner("builder") });
}

for (const [version, predicateOf] of VERSIONS) {
  describe(`dependencies of provenance ${version}`, () => {
    test("those that the policy allows, asks for, and can name", () => {
      const artifact = anArtifact();
      const evidence = provenance(artifact, version, predicateOf([SOURCE, BASE]));
      assert.equal(evaluate(POLICY, alone(artifact, [evidence]), NOW).outcome, "passed");
    });

    const DENIED: readonly (readonly [string, readonly JsonObject[], ...string[]])[] = [
      ["another one", [SOURCE, BASE, { ...BASE, uri: "pkg:npm/left-pad@1" }], "allow"],
      ["one without a URI", [BASE, { name: "x", digest: { sha256: SHA256 } }], "allow"],
      ["without the one that is asked for", [SOURCE], "require"],
      ["none at all", [], "require"],
      ["one without a digest", [SOURCE, { uri: BASE.uri }], "pinned"],
      ["one that SHA-1 names and that is no commit", [{ ...BASE, digest: { sha1: SHA1 } }], "pinned"],
      ["more than are looked at", Array.from({ length: 10_001 }, () => BASE), ""],
    ];
    for (const [name, dependencies, ...failing] of DENIED) {
      test(`not ${name}`, () => {
        const artifact = anArtifact();
        const checks = failing.map((one) =>
          one === "" ? "resolvedDependencies" : `resolvedDependencies.${one}`,
        );
        const evidence = provenance(artifact, version, predicateOf(dependencies));
        assert.deepEqual(missesOf(POLICY, artifact, evidence), checks);
      });
    }

    test("SHA-1 names a commit of git's", () => {
      const artifact = anArtifact();
      const evidence = provenance(artifact, version, predicateOf([{ ...SOURCE, digest: { sha1: SHA1 } }]));
      const { outcome } = evaluate(policyOn("{pinned: true}"), alone(artifact, [evidence]), NOW);
      assert.equal(outcome, "passed");
    });
  });
}

test("a policy on dependencies is one on provenance", () => {
  const artifact = anArtifact();
  const evidence = provenance(artifact, "v9", {});
  assert.deepEqual(missesOf(policyOn("{pinned: true}"), artifact, evidence), ["provenance"]);
});

test("nobody's dependencies are looked through but a trusted signer's: anybody may push some megabytes of them", () => {
  const artifact = anArtifact();
  const [[version, predicateOf]] = VERSIONS as [(typeof VERSIONS)[number]];
  const predicate = predicateOf([SOURCE, BASE]);
  const predicateType = `https://slsa.dev/provenance/${version}`;
  const evidence = attestationOf({ artifact, predicateType, predicate, signer: keySigner("mallory") });
  assert.deepEqual(missesOf(POLICY, artifact, evidence), ["resolvedDependencies", "signer"]);
});
