import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Verdict } from "../../src/custody/log-store.ts";
import type { Decision } from "../../src/decisions/decide.ts";
import { summaryStatement } from "../../src/decisions/verification-summary.ts";
import {
  canonicalJson,
  type JsonObject,
  parseDigest,
  parseStatement,
  sha256,
  subjectsOf,
  verificationSummaryOf,
} from "../../src/in-toto-attestation/index.ts";

const DIGEST = sha256("artifact");
const TERMS = {
  verifierId: "https://verifier.example",
  resourceUri: "pkg:oci/app",
  timeVerified: Date.UTC(2026, 2, 1, 12),
  validUntil: Date.UTC(2026, 2, 1, 12, 10),
  logSize: 9,
};

function verdict(policy: string, attestations: readonly string[] = ["evidence"]): Verdict {
  return {
    artifact: DIGEST,
    policy,
    policyHash: sha256(`policy ${policy}`),
    trustHash: sha256("trust"),
    evidenceSet: sha256("evidence set"),
    outcome: "passed",
    slsaLevel: 3,
    attestations: attestations.map((text) => sha256(text)),
    checks: [],
    restsOn: [],
    index: 7,
  };
}

function allowed(change: Partial<Decision> = {}): Decision {
  return {
    digest: DIGEST,
    decision: "allow",
    reasons: [],
    enforced: true,
    verdicts: [],
    grounds: [verdict("release")],
    exceptions: [],
    slsaLevel: 3,
    validUntil: null,
    ...change,
  };
}

function predicateOf(decision: Decision): JsonObject {
  return summaryStatement(decision, TERMS).predicate as JsonObject;
}

test("a summary is read back as what it was made of", () => {
  const statement = parseStatement(Buffer.from(canonicalJson(summaryStatement(allowed(), TERMS))));
  assert.deepEqual(subjectsOf(statement), [{ digests: [DIGEST] }]);
  assert.deepEqual(verificationSummaryOf(statement), {
    verifierId: TERMS.verifierId,
    resourceUri: TERMS.resourceUri,
    verificationResult: "PASSED",
    verifiedLevels: ["SLSA_BUILD_LEVEL_3"],
    timeVerified: "2026-03-01T12:00:00.000Z",
    slsaVersion: "1.2",
    validUntil: TERMS.validUntil,
  });
});

test("a digest stands under its own algorithm", () => {
  const digest = parseDigest(`sha512:${"ab".repeat(64)}`);
  const { subject } = summaryStatement(allowed({ digest }), TERMS);
  assert.deepEqual(subject, [{ digest: { sha512: "ab".repeat(64) } }]);
});

describe("the level is one of the build track", () => {
  const levels: readonly [number, string][] = [
    [0, "SLSA_BUILD_LEVEL_0"],
    [1, "SLSA_BUILD_LEVEL_1"],
    [3, "SLSA_BUILD_LEVEL_3"],
    [4, "SLSA_BUILD_LEVEL_3"],
  ];
  for (const [slsaLevel, expected] of levels) {
    test(`${slsaLevel}`, () =>
      assert.deepEqual(predicateOf(allowed({ slsaLevel })).verifiedLevels, [expected]));
  }
});

test("several policies are named in one order, with the evidence of all of them once", () => {
  const [b, a] = [verdict("b", ["x", "shared"]), verdict("a", ["shared"])];
  const predicate = predicateOf(allowed({ grounds: [b, a] }));
  assert.deepEqual(predicate, predicateOf(allowed({ grounds: [a, b] })));
  const { uri, annotations } = predicate.policy as JsonObject;
  assert.equal(uri, "https://verifier.example/policies/a,b");
  assert.deepEqual(annotations, { a: a.policyHash, b: b.policyHash });
  const evidence = predicate.inputAttestations as readonly { digest: { sha256: string } }[];
  const digests = evidence.map(({ digest }) => `sha256:${digest.sha256}`);
  assert.deepEqual(digests, [sha256("x"), sha256("shared")].sort());
});

test("what is denied has no summary", () => {
  assert.throws(() => summaryStatement(allowed({ decision: "deny" }), TERMS), TypeError);
});
