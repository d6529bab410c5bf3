import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { evaluate } from "../../src/policy/evaluate.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { alone } from "../../src/policy/question.ts";
import { testedPolicy } from "../../src/policy/run-test.ts";
import { readPolicyFiles } from "../../src/services/activation/policy-directory.ts";
import { unpackEvidence } from "../../src/verify/formats/unpack.ts";
import { verifyEvidence } from "../../src/verify/verify-evidence.ts";
import { trustOf } from "./case-trust.ts";
import { openCorpus } from "./manifest.ts";

const CORPUS = new URL("../../../shared/corpus", import.meta.url).pathname;
const skip = existsSync(`${CORPUS}/MANIFEST.json`)
  ? false
  : "there is no ../shared/corpus beside this repository";

const set = loadPolicySet(await readPolicyFiles("policies/builders"));

/** Real provenance, and the shipped builders that are believed to have made it. */
const BUILT: readonly (readonly [string, ...string[]])[] = [
  ["chainloop/github-slsa-provenance", "github-actions"],
  ["pypi/attestations-slsa", "github-actions"],
  ["sigstore-java/github-private", "github-actions", "github-actions-reusable"],
  // npm's client writes as GitHub's action once did.
  ["sigstore-go/sjs-2.0.0-provenance", "github-actions", "npm-github"],
  ["sigstore-go/example-provenance-1.3.0", "npm-github"],
  ["npm-cli/valid-sigstore-attestations", "npm-github-first"],
  ["slsa/generic/v2.1.0/push-v13.0.30", "slsa-generator-generic"],
  ["slsa/go/v2.1.0/push-v13.0.30", "slsa-builder-go"],
  ["slsa/container-based/v2.1.0/push-v13.0.30", "slsa-builder-container-based"],
  ["slsa/maven/v2.0.0/push-v13.0.30", "slsa-builder-delegated"],
  ["slsa/gradle/v1.10.0/push-v14", "slsa-builder-delegated"],
  ["slsa/npm/provenance-npm-test-ossf/valid-npm-OSSF-builder", "slsa-builder-delegated"],
  // A builder of somebody else's that the generator's delegator signed for, at a branch of the delegator's.
  ["slsa/delegator/v1.9.0/push-v13.0.30"],
];

describe("real provenance is of the shipped builders that made it, and of no other", { skip }, () => {
  for (const [id, ...names] of BUILT) {
    test(id, () => {
      const corpus = openCorpus(CORPUS);
      const one = corpus.cases.find((candidate) => candidate.id === id) ?? assert.fail("no such case");
      const file = corpus.read(one.files.bundle);
      const attestations = (unpackEvidence(file) ?? [file]).map((piece) =>
        verifyEvidence(piece, trustOf(one, corpus), Date.now()),
      );
      const artifact = attestations[0]?.subjects[0]?.digests[0] ?? assert.fail("no subject");
      const believed = [...set.builders.values()].flatMap(({ name, spec }) => {
        const policy = testedPolicy(set, "Builder", name) ?? assert.fail(name);
        const { outcome, slsaLevel } = evaluate(policy, alone(artifact, attestations), Date.now());
        if (outcome === "passed") assert.equal(slsaLevel, spec.level);
        return outcome === "passed" ? [name] : [];
      });
      assert.deepEqual(believed.sort(), names);
    });
  }
});
