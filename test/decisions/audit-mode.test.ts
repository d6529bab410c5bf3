import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type DecisionInput,
  decide,
  decideGrant,
  type InForce,
  type StandingVerdict,
} from "../../src/decisions/decide.ts";
import { parseDigest } from "../../src/in-toto-attestation/digest.ts";
import type { Mode } from "../../src/policy/policy.ts";
import fc from "../support/fc.ts";

const NOW = Date.UTC(2026, 0, 1);
const DIGEST = parseDigest(`sha256:${"a".repeat(64)}`);
const MISS = { check: "signer", passed: false, expected: "a", actual: "b" };

type Modes = Readonly<Record<string, Mode>>;

function inForce(modes: Modes): InForce {
  const policies = Object.entries(modes).map(
    ([name, mode]) => [name, { hash: name, spec: { mode } }] as const,
  );
  return {
    policies: new Map(policies),
    trust: "trust",
    holding: new Set(["trust"]),
    revocationsAsOf: 0,
    isSuspended: false,
  };
}

function verdict(policy: string, over: Partial<StandingVerdict> = {}): StandingVerdict {
  return {
    artifact: DIGEST,
    policy,
    policyHash: policy,
    trustHash: "trust",
    evidenceSet: "set",
    outcome: "passed",
    slsaLevel: 3,
    attestations: [],
    checks: [],
    restsOn: [],
    isOvertaken: false,
    asOf: 0,
    index: 7,
    ...over,
  };
}

const failed = (policy: string) => verdict(policy, { outcome: "failed", slsaLevel: 0, checks: [MISS] });

function input(
  modes: Modes,
  verdicts: readonly StandingVerdict[],
  over: Partial<DecisionInput> = {},
): DecisionInput {
  const policies = Object.keys(modes);
  return {
    digest: DIGEST,
    policies,
    inForce: inForce(modes),
    verdicts,
    quarantines: [],
    approvals: [],
    exceptions: [],
    ...over,
  };
}

function codes({ reasons }: ReturnType<typeof decide>): string[] {
  return reasons.map(({ code }) => code);
}

test("beside an enforced policy one in audit mode decides nothing, and says what it would have denied", () => {
  const modes = { release: "enforce", scan: "audit" } as const;
  const decision = decide(input(modes, [verdict("release", { validUntil: NOW + 9 }), failed("scan")]), NOW);
  assert.deepEqual([decision.decision, decision.enforced], ["allow", true]);
  assert.deepEqual(codes(decision), ["verdict-passed", "would-deny"]);
  assert.deepEqual(
    { policy: decision.reasons[1]?.policy, checks: decision.reasons[1]?.checks },
    { policy: "scan", checks: [MISS] },
  );
  assert.deepEqual(
    decision.verdicts.map(({ policy, mode }) => [policy, mode]),
    Object.entries(modes),
  );
  assert.deepEqual([decision.slsaLevel, decision.validUntil], [3, NOW + 9]);
  assert.deepEqual(
    decision.grounds.map(({ policy }) => policy),
    ["release"],
  );
});

test("a pass in audit mode lowers and shortens nothing", () => {
  const scan = verdict("scan", { slsaLevel: 0, validUntil: NOW + 1 });
  const decision = decide(input({ release: "enforce", scan: "audit" }, [verdict("release"), scan]), NOW);
  assert.deepEqual([decision.slsaLevel, decision.validUntil], [3, null]);
  assert.deepEqual(codes(decision), ["verdict-passed", "verdict-passed"]);
});

test("a quarantine of what a pass in audit mode rests on would deny, and denies nothing", () => {
  const container = parseDigest(`sha256:${"c".repeat(64)}`);
  const quarantines = [{ id: "1", artifact: container, reason: "bad" }];
  const verdicts = [verdict("release"), verdict("scan", { restsOn: [container] })];
  const decision = decide(input({ release: "enforce", scan: "audit" }, verdicts, { quarantines }), NOW);
  assert.equal(decision.decision, "allow");
  assert.deepEqual(codes(decision), ["verdict-passed", "would-deny"]);
});

test("what an audited policy misses in approvals would deny, and an exception to it is not used up on it", () => {
  const rule = { required: 1, from: [{ case: "key", name: "lead" }], expiresAfter: 1 } as const;
  const exceptions = [{ id: "1", policy: "scan", owner: "o", reason: "r", expiresAt: NOW + 1 }];
  const asked = input({ release: "enforce", scan: "audit" }, [verdict("release"), verdict("scan")], {
    exceptions,
  });
  const scan = { hash: "scan", spec: { mode: "audit", approvals: rule } } as const;
  const policies = new Map([...asked.inForce.policies, ["scan", scan]]);
  const decision = decide({ ...asked, inForce: { ...asked.inForce, policies } }, NOW);
  assert.deepEqual(codes(decision), ["verdict-passed", "would-deny"]);
  assert.deepEqual([decision.decision, decision.exceptions], ["allow", []]);
});

test("an enforced denial tells what others would have denied besides", () => {
  const decision = decide(
    input({ release: "enforce", scan: "audit" }, [failed("release"), failed("scan")]),
    NOW,
  );
  assert.deepEqual([decision.decision, decision.enforced], ["deny", true]);
  assert.deepEqual(codes(decision), ["verdict-failed", "would-deny"]);
});

describe("where all policies named are in audit mode", () => {
  const cases: readonly (readonly [string, readonly StandingVerdict[], readonly string[]])[] = [
    ["a failure allows and would deny", [failed("scan")], ["would-deny"]],
    ["no verdict allows and would deny", [], ["would-deny"]],
    ["an expired pass allows and would deny", [verdict("scan", { validUntil: NOW })], ["would-deny"]],
    ["a pass allows", [verdict("scan")], ["verdict-passed"]],
  ];
  for (const [what, verdicts, expected] of cases) {
    test(`${what}, without being enforced, and grants nothing`, () => {
      const asked = input({ scan: "audit" }, verdicts);
      const decision = decide(asked, NOW);
      assert.deepEqual([decision.decision, decision.enforced], ["allow", false]);
      assert.deepEqual(codes(decision), expected);
      assert.deepEqual([decision.slsaLevel, decision.validUntil, decision.grounds], [0, null, []]);
      const grant = decideGrant(asked, NOW);
      assert.deepEqual([grant.decision, grant.enforced], ["deny", true]);
      assert.deepEqual(codes(grant), ["not-enforced", ...expected.filter((code) => code === "would-deny")]);
    });
  }
});

describe("denied whatever the mode", () => {
  const scan = { scan: "audit" } as const;
  const cases: readonly (readonly [string, DecisionInput, string])[] = [
    [
      "a quarantine",
      input(scan, [verdict("scan")], { quarantines: [{ id: "1", artifact: DIGEST, reason: "bad" }] }),
      "quarantined",
    ],
    ["a policy that nobody knows", input(scan, [], { policies: ["scan", "typo"] }), "unknown-policy"],
    ["no policy", input({}, []), "no-policy-named"],
    [
      "a weak digest",
      input(scan, [], { digest: parseDigest(`sha1:${"a".repeat(40)}`) }),
      "digest-cannot-ground",
    ],
  ];
  for (const [what, asked, code] of cases) {
    test(what, () => {
      assert.equal(decide(asked, NOW).decision, "deny");
      assert.equal(codes(decide(asked, NOW))[0], code);
      assert.equal(decideGrant(asked, NOW).decision, "deny");
    });
  }
});

const POLICIES = ["a", "b", "c"] as const;
const situation = fc.record({
  modes: fc.record({
    a: fc.constantFrom<Mode>("enforce", "audit"),
    b: fc.constantFrom<Mode>("enforce", "audit"),
    c: fc.constantFrom<Mode>("enforce", "audit"),
  }),
  verdicts: fc
    .subarray([...POLICIES])
    .chain((names) =>
      fc.tuple(
        ...names.map((name) =>
          fc.constantFrom(verdict(name), failed(name), verdict(name, { validUntil: NOW, slsaLevel: 1 })),
        ),
      ),
    ),
  excepted: fc.subarray([...POLICIES]),
  quarantined: fc.boolean(),
  put: fc.constantFrom(...POLICIES),
});

test("to put a policy into audit mode never turns an allow into a denial, and never makes a grant rest on it", () => {
  fc.assert(
    fc.property(situation, ({ modes, verdicts, excepted, quarantined, put }) => {
      const quarantines = quarantined ? [{ id: "1", artifact: DIGEST, reason: "bad" }] : [];
      const exceptions = excepted.map((policy) => ({
        id: policy,
        policy,
        owner: "o",
        reason: "r",
        expiresAt: NOW + 1,
      }));
      const stands = { quarantines, exceptions };
      const before = decide(input(modes, verdicts, stands), NOW);
      const changed = input({ ...modes, [put]: "audit" }, verdicts, stands);
      const after = decide(changed, NOW);
      if (before.decision === "allow") assert.equal(after.decision, "allow");
      assert.ok([...after.grounds, ...after.exceptions].every(({ policy }) => policy !== put));
      const grant = decideGrant(changed, NOW);
      const enforced = POLICIES.filter((name) => name !== put && modes[name] === "enforce");
      if (enforced.length === 0) assert.equal(grant.decision, "deny");
      // What is left of the policies decides as if the one in audit mode had not been named.
      else {
        const alone = decideGrant(input(modes, verdicts, { ...stands, policies: enforced }), NOW);
        assert.deepEqual(
          [grant.decision, grant.slsaLevel, grant.validUntil, grant.grounds.map(({ index }) => index)],
          [alone.decision, alone.slsaLevel, alone.validUntil, alone.grounds.map(({ index }) => index)],
        );
      }
    }),
  );
});
