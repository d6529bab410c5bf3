import assert from "node:assert/strict";
import { test } from "node:test";
import { type JsonObject, unmetDemands, verificationSummaryOf } from "../../src/in-toto-attestation/index.ts";

const VSA = {
  verifier: { id: "https://verifier.example/v1" },
  timeVerified: "2026-01-02T03:04:05Z",
  resourceUri: "pkg:oci/widget",
  policy: { uri: "https://verifier.example/policy" },
  verificationResult: "PASSED",
  verifiedLevels: ["ACME_L1", "SLSA_BUILD_LEVEL_2", "SLSA_SOURCE_LEVEL_3"],
  dependencyLevels: { SLSA_BUILD_LEVEL_1: 4 },
  "https://example.com/extension": true,
};

const DEMANDS = { verifierId: VSA.verifier.id, resourceUri: VSA.resourceUri, verifiedLevels: [] as string[] };

function summary(predicate: JsonObject, predicateType = "https://slsa.dev/verification_summary/v1") {
  return verificationSummaryOf({
    type: "https://in-toto.io/Statement/v1",
    subject: [],
    predicateType,
    predicate,
  });
}

function unmet(members: JsonObject, demands: Partial<typeof DEMANDS>): string[] {
  const found = summary({ ...VSA, ...members });
  assert.ok(found);
  return unmetDemands(found, { ...DEMANDS, ...demands }).map(({ demand }) => demand);
}

const demands: { name: string; levels: string[]; met: boolean }[] = [
  { name: "the level itself", levels: ["SLSA_BUILD_LEVEL_2"], met: true },
  { name: "levels below it on its track", levels: ["SLSA_BUILD_LEVEL_0", "SLSA_BUILD_LEVEL_1"], met: true },
  { name: "a level above it", levels: ["SLSA_BUILD_LEVEL_3"], met: false },
  { name: "levels of two tracks", levels: ["SLSA_BUILD_LEVEL_1", "SLSA_SOURCE_LEVEL_2"], met: true },
  { name: "a track that was not verified", levels: ["SLSA_DEPENDENCY_LEVEL_1"], met: false },
  { name: "a level of the verifier's own", levels: ["ACME_L1"], met: true },
  { name: "a lower-sounding level of the verifier's own", levels: ["ACME_L0"], met: false },
  { name: "what only looks like a SLSA level", levels: ["SLSA_BUILD_LEVEL_02"], met: false },
];
for (const { name, levels, met } of demands) {
  test(`a summary ${met ? "meets" : "does not meet"} ${name}`, () => {
    assert.deepEqual(unmet({}, { verifiedLevels: levels }), met ? [] : ["verifiedLevels"]);
  });
}

test("a summary counts for its own resource and verifier, and only if it passed", () => {
  assert.deepEqual(unmet({}, {}), []);
  assert.deepEqual(unmet({}, { resourceUri: "pkg:oci/other" }), ["resourceUri"]);
  assert.deepEqual(unmet({}, { verifierId: `${VSA.verifier.id}/` }), ["verifierId"]);
  assert.deepEqual(unmet({ verificationResult: "FAILED" }, { verifiedLevels: ["SLSA_BUILD_LEVEL_1"] }), [
    "verificationResult",
  ]);
});

test("a Statement of another predicate type is no summary", () => {
  assert.equal(summary(VSA, "https://slsa.dev/provenance/v1"), undefined);
});

const malformed: Record<string, JsonObject> = {
  "no verifier": { verifier: null },
  "a verifier without an id": { verifier: {} },
  "no resource": { resourceUri: "" },
  "another result": { verificationResult: "passed" },
  "levels that are no list": { verifiedLevels: "SLSA_BUILD_LEVEL_3" },
  "a level that is no string": { verifiedLevels: [3] },
  "two levels of one track": { verifiedLevels: ["SLSA_BUILD_LEVEL_1", "SLSA_BUILD_LEVEL_3"] },
};
for (const [name, members] of Object.entries(malformed)) {
  test(`a summary is refused with ${name}`, () => {
    assert.throws(() => summary({ ...VSA, ...members }), { code: "malformed-statement" });
  });
}
