import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type DecisionInput, decide } from "../../src/decisions/decide.ts";
import { parseDigest } from "../../src/in-toto-attestation/digest.ts";
import { codes, DIGEST, exception, HOUR, input, NOW, PROVENANCE, verdict } from "./approvals.ts";

describe("an exception", () => {
  const failed = [verdict({ outcome: "failed" })];

  test("lets through what the policy denies, and says so", () => {
    for (const over of [{ verdicts: failed }, { verdicts: [] }, { approvals: [] }]) {
      const decision = decide(input({ ...over, exceptions: [exception()] }), NOW);
      assert.deepEqual(
        [decision.decision, decision.slsaLevel, decision.validUntil],
        ["allow", 0, NOW + HOUR],
      );
      const [reason] = decision.reasons;
      assert.equal(reason?.code, "exception");
      const expiresAt = new Date(NOW + HOUR).toISOString();
      assert.deepEqual(reason.exception, { id: "x1", owner: "dana", reason: "outage", expiresAt });
    }
  });

  test("is not needed where the policy passed", () => {
    assert.deepEqual(codes(decide(input({ exceptions: [exception()] }), NOW)), [
      "verdict-passed",
      "approved",
    ]);
  });

  const denied: readonly (readonly [string, Partial<DecisionInput>, string])[] = [
    ["that has ended", { exceptions: [exception({ expiresAt: NOW })] }, "verdict-failed"],
    ["to another policy", { exceptions: [exception({ policy: "scan" })] }, "verdict-failed"],
    ["in quarantine", { quarantines: [{ id: "q", artifact: DIGEST, reason: "leak" }] }, "quarantined"],
    [
      "of a digest that cannot ground",
      { digest: parseDigest(`sha1:${"a".repeat(40)}`) },
      "digest-cannot-ground",
    ],
    [
      "to a policy that is not active",
      { policies: ["gone"], exceptions: [exception({ policy: "gone" })] },
      "unknown-policy",
    ],
    ["where no policy is named", { policies: [] }, "no-policy-named"],
  ];
  for (const [what, over, code] of denied) {
    test(`lets nothing through ${what}`, () => {
      const decision = decide(input({ verdicts: failed, exceptions: [exception()], ...over }), NOW);
      assert.deepEqual([decision.decision, codes(decision)], ["deny", [code]]);
    });
  }

  test("to a policy in audit mode changes nothing: it denies nothing, and vouches for nothing", () => {
    const state = input({ verdicts: failed, exceptions: [exception()] });
    const policies = new Map([["release", { hash: "sha256:policy", spec: { mode: "audit" as const } }]]);
    const decision = decide({ ...state, inForce: { ...state.inForce, policies } }, NOW);
    assert.deepEqual([decision.enforced, codes(decision)], [false, ["would-deny"]]);
  });

  test("lifts no quarantine of what the verdict was looked for in", () => {
    const quarantines = [{ id: "q", artifact: PROVENANCE, reason: "leak" }];
    const verdicts = [verdict({ outcome: "failed", restsOn: [PROVENANCE] })];
    const decision = decide(input({ verdicts, quarantines, exceptions: [exception()] }), NOW);
    assert.deepEqual([decision.decision, codes(decision)], ["deny", ["quarantined"]]);
  });

  test("stands in for one policy and for no other", () => {
    const policies = ["release", "other"];
    const decision = decide(input({ policies, verdicts: failed, exceptions: [exception()] }), NOW);
    assert.deepEqual([decision.decision, codes(decision)], ["deny", ["unknown-policy"]]);
  });
});
