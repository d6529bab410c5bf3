import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type DecisionInput,
  decide,
  type PolicyInForce,
  type ReasonCode,
  type StandingVerdict,
} from "../../src/decisions/decide.ts";
import { parseDigest } from "../../src/in-toto-attestation/digest.ts";
import fc from "../support/fc.ts";

const NOW = Date.UTC(2026, 0, 1);
const DIGEST = parseDigest(`sha256:${"a".repeat(64)}`);
const ENFORCED: PolicyInForce = { hash: "sha256:policy", spec: { mode: "enforce" } };
const CONTAINER = parseDigest(`sha256:${"c".repeat(64)}`);
const ATTESTATION = parseDigest(`sha256:${"b".repeat(64)}`);

function verdict(over: Partial<StandingVerdict> = {}): StandingVerdict {
  return {
    artifact: DIGEST,
    policy: "release",
    policyHash: "sha256:policy",
    trustHash: "sha256:trust",
    evidenceSet: "sha256:set",
    outcome: "passed",
    slsaLevel: 3,
    attestations: [ATTESTATION],
    checks: [],
    restsOn: [],
    index: 7,
    isOvertaken: false,
    asOf: 0,
    ...over,
  };
}

function input(over: Partial<DecisionInput> = {}): DecisionInput {
  return {
    digest: DIGEST,
    policies: ["release"],
    inForce: {
      policies: new Map([["release", ENFORCED]]),
      trust: "sha256:trust",
      holding: new Set(["sha256:trust", "sha256:narrower"]),
      revocationsAsOf: 0,
      isSuspended: false,
    },
    verdicts: [verdict()],
    quarantines: [],
    approvals: [],
    exceptions: [],
    ...over,
  };
}

test("a verdict made after evidence was revoked stands", () => {
  const inForce = { ...input().inForce, revocationsAsOf: 9 };
  assert.equal(decide(input({ verdicts: [verdict({ asOf: 9 })], inForce }), NOW).decision, "allow");
});

test("a quarantine of what only another policy's verdict rests on denies nothing", () => {
  const other = verdict({ policy: "other", restsOn: [CONTAINER] });
  const quarantines = [{ id: "1", artifact: CONTAINER, reason: "bad" }];
  const about = input({ verdicts: [verdict(), other], quarantines });
  assert.equal(decide(about, NOW).decision, "allow");
});

test("a current, unexpired pass of every named policy allows", () => {
  const decision = decide(input({ verdicts: [verdict({ validUntil: NOW + 1 })] }), NOW);
  assert.equal(decision.decision, "allow");
  assert.deepEqual(
    decision.reasons.map(({ code }) => code),
    ["verdict-passed"],
  );
  assert.equal(decision.slsaLevel, 3);
  assert.equal(decision.validUntil, NOW + 1);
});

const DENIALS: readonly (readonly [string, Partial<DecisionInput>, ReasonCode])[] = [
  ["no policy is named", { policies: [] }, "no-policy-named"],
  [
    "the policy is not active",
    {
      inForce: {
        policies: new Map(),
        trust: "sha256:trust",
        holding: new Set(["sha256:trust", "sha256:narrower"]),
        revocationsAsOf: 0,
        isSuspended: false,
      },
    },
    "unknown-policy",
  ],
  ["the project is suspended", { inForce: { ...input().inForce, isSuspended: true } }, "project-suspended"],
  ["there is no verdict", { verdicts: [] }, "no-verdict"],
  ["the verdict is another policy's", { verdicts: [verdict({ policy: "other" })] }, "no-verdict"],
  ["the verdict failed", { verdicts: [verdict({ outcome: "failed" })] }, "verdict-failed"],
  [
    "the policy was edited since",
    { verdicts: [verdict({ policyHash: "sha256:older" })] },
    "verdict-outdated",
  ],
  [
    "the trust was narrowed since",
    { verdicts: [verdict({ trustHash: "sha256:older" })] },
    "verdict-outdated",
  ],
  ["the verdict ends at this very moment", { verdicts: [verdict({ validUntil: NOW })] }, "verdict-expired"],
  [
    "what its verdict rests on is quarantined",
    {
      verdicts: [verdict({ restsOn: [CONTAINER] })],
      quarantines: [{ id: "1", artifact: CONTAINER, reason: "bad" }],
    },
    "quarantined",
  ],
  [
    "there is evidence that it was made without",
    { verdicts: [verdict({ isOvertaken: true })] },
    "verdict-outdated",
  ],
  [
    "evidence was revoked since it was made",
    { verdicts: [verdict({ asOf: 8 })], inForce: { ...input().inForce, revocationsAsOf: 9 } },
    "verdict-outdated",
  ],
  [
    "it failed without evidence that was revoked",
    {
      verdicts: [
        verdict({
          outcome: "failed",
          checks: [{ check: "evidence.revoked", passed: false, expected: "", actual: "" }],
        }),
      ],
    },
    "evidence-revoked",
  ],
  [
    "the digest is quarantined",
    { quarantines: [{ id: "1", artifact: DIGEST, reason: "bad" }] },
    "quarantined",
  ],
  ["the digest is weak", { digest: parseDigest(`sha1:${"a".repeat(40)}`) }, "digest-cannot-ground"],
];

for (const [when, over, code] of DENIALS) {
  test(`denied when ${when}`, () => {
    const decision = decide(input(over), NOW);
    assert.equal(decision.decision, "deny");
    assert.deepEqual(
      decision.reasons.map((reason) => reason.code),
      [code],
    );
    assert.equal(decision.slsaLevel, 0);
    assert.equal(decision.validUntil, null);
  });
}

test("trust that was added to takes no pass away, and makes a failure outdated", () => {
  const trustHash = "sha256:narrower";
  assert.equal(decide(input({ verdicts: [verdict({ trustHash })] }), NOW).decision, "allow");
  const failed = decide(input({ verdicts: [verdict({ trustHash, outcome: "failed" })] }), NOW);
  assert.equal(failed.reasons[0]?.code, "verdict-outdated");
});

test("all named policies must pass, and the answer holds as long and as high as the weakest", () => {
  const second = verdict({ policy: "scan", policyHash: "sha256:scan", slsaLevel: 1, validUntil: NOW + 5 });
  const inForce = {
    policies: new Map([
      ["release", ENFORCED],
      ["scan", { ...ENFORCED, hash: "sha256:scan" }],
    ]),
    trust: "sha256:trust",
    holding: new Set(["sha256:trust", "sha256:narrower"]),
    revocationsAsOf: 0,
    isSuspended: false,
  };
  const policies = ["release", "scan"];
  const both = decide(
    input({ policies, inForce, verdicts: [verdict({ validUntil: NOW + 9 }), second] }),
    NOW,
  );
  assert.deepEqual([both.decision, both.slsaLevel, both.validUntil], ["allow", 1, NOW + 5]);
  const one = decide(input({ policies, inForce, verdicts: [verdict()] }), NOW);
  assert.equal(one.decision, "deny");
});

test("a denial names every reason, and the checks that failed", () => {
  const failed = { check: "signer", passed: false, expected: "a", actual: "b" };
  const passed = { check: "artifact", passed: true, expected: "a", actual: "a" };
  const decision = decide(
    input({
      quarantines: [{ id: "1", artifact: DIGEST, reason: "bad" }],
      verdicts: [verdict({ outcome: "failed", checks: [failed, passed] })],
    }),
    NOW,
  );
  assert.deepEqual(
    decision.reasons.map(({ code }) => code),
    ["quarantined", "verdict-failed"],
  );
  assert.deepEqual(decision.reasons[1]?.checks, [failed]);
});

test("verdicts of policies that are not named never change a decision", () => {
  const other = fc.record({
    policy: fc.constantFrom("other", "third", "__proto__"),
    outcome: fc.constantFrom("passed" as const, "failed" as const),
    policyHash: fc.constantFrom("sha256:policy", "sha256:x"),
  });
  fc.assert(
    fc.property(fc.array(other), fc.boolean(), (others, passes) => {
      const own = verdict({ outcome: passes ? "passed" : "failed" });
      const alone = decide(input({ verdicts: [own] }), NOW);
      const among = decide(input({ verdicts: [...others.map(verdict), own] }), NOW);
      assert.deepEqual(among, alone);
      assert.equal(alone.decision, passes ? "allow" : "deny");
    }),
  );
});
