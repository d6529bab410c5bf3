import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { isKnownPredicateType, type JsonObject } from "../../src/in-toto-attestation/index.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import { alone } from "../../src/policy/question.ts";
import { anArtifact, releaseOf } from "../support/attestations.ts";
import { besides, evidenceBy } from "../support/evidence.ts";
import { NOW } from "../support/policies.ts";

const PAGE = readFileSync(new URL("../../docs/policy.md", import.meta.url), "utf8");
const [, rest = ""] = PAGE.split("### What to ask of which evidence");
const [section = ""] = rest.split("###");
const ROWS = [...section.matchAll(/^\| ([^|]+) \| `(\S+)` \| `(.+)` \|$/gm)];

interface Sample {
  readonly type: string;
  readonly good: JsonObject;
  readonly bad: JsonObject;
}

/** Predicates that are what each row asks for, and that are not. */
const SAMPLES: ReadonlyMap<string, Sample> = new Map([
  [
    "SPDX",
    {
      type: "https://spdx.dev/Document/v2.3",
      good: { packages: [{ name: "app" }] },
      bad: { packages: [{ name: "app" }, { name: "left-pad" }] },
    },
  ],
  [
    "CycloneDX",
    {
      type: "https://cyclonedx.org/bom",
      good: { components: [{ purl: "pkg:npm/app@1" }] },
      bad: { components: [{ purl: "pkg:npm/left-pad@1.3.0" }] },
    },
  ],
  [
    "vulnerabilities",
    {
      type: "https://in-toto.io/attestation/vulns/v0.2",
      good: { scanner: { result: [{ severity: [{ method: "nvd", score: "low" }] }] } },
      bad: { scanner: { result: [{ severity: [{ method: "nvd", score: "critical" }] }] } },
    },
  ],
  [
    "OpenVEX",
    {
      type: "https://openvex.dev/ns/v0.2.0",
      good: { statements: [{ status: "not_affected" }, { status: "fixed" }] },
      bad: { statements: [{ status: "under_investigation" }] },
    },
  ],
  [
    "test results",
    {
      type: "https://in-toto.io/attestation/test-result/v0.1",
      good: { result: "PASSED", failedTests: [] },
      bad: { result: "PASSED", failedTests: ["one"] },
    },
  ],
  [
    "a review",
    {
      type: "https://in-toto.io/attestation/human-review/v0.1",
      good: { result: "pass" },
      bad: { result: "fail" },
    },
  ],
  [
    "a release",
    {
      type: "https://in-toto.io/attestation/release/v0.1",
      good: { purl: "pkg:npm/%40acme/app@1.2.3" },
      bad: { purl: "pkg:npm/%40acme/app-next@1.2.3" },
    },
  ],
  [
    "source provenance",
    {
      type: "https://github.com/slsa-framework/slsa-source-poc/source-provenance/v1-draft",
      good: { branch: "refs/heads/main", controls: [{ name: "SLSA_SOURCE_SCS_TWO_PARTY_REVIEW" }] },
      bad: { branch: "refs/heads/main", controls: [{ name: "SLSA_SOURCE_SCS_CONTINUITY" }] },
    },
  ],
  [
    "SCAI",
    {
      type: "https://in-toto.io/attestation/scai/v0.3",
      good: { attributes: [{ attribute: "REPRODUCIBLE" }] },
      bad: { attributes: [{ attribute: "HERMETIC" }] },
    },
  ],
]);

describe("each rule that docs/policy.md gives for a kind of evidence", () => {
  test("has its sample", () => {
    assert.deepEqual(
      ROWS.map(([, name]) => name),
      [...SAMPLES.keys()],
    );
  });

  for (const [, name = "", types = "", rule = ""] of ROWS) {
    test(`${name}: takes what it says and nothing else`, () => {
      const sample = SAMPLES.get(name);
      assert.ok(sample && isKnownPredicateType(sample.type));
      const policy = besides([
        `{name: it, predicateTypes: ["${types}"], signers: [{key: k}], rules: [{name: r, cel: '${rule}'}]}`,
      ]);
      const judge = (predicate: JsonObject) => {
        const artifact = anArtifact();
        const evidence = evidenceBy("k", artifact, sample.type, predicate);
        return evaluate(policy, alone(artifact, [releaseOf({ artifact }), evidence]), NOW).outcome;
      };
      assert.deepEqual([judge(sample.good), judge(sample.bad), judge({})], ["passed", "failed", "failed"]);
    });
  }
});
