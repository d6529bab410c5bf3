import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type Decision,
  type DecisionInput,
  decide,
  type StandingVerdict,
} from "../../src/decisions/decide.ts";
import { endsOf } from "../../src/decisions/ends.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import type { Approval } from "../../src/policy/approvals.ts";
import fc from "../support/fc.ts";
import {
  approval,
  codes,
  exception,
  HOUR,
  input,
  LATER_SCAN,
  NOW,
  OF_EVIDENCE,
  PROVENANCE,
  SCAN,
  verdict,
} from "./approvals.ts";

describe("an artifact is approved", () => {
  test("by as many as the policy asks, and the answer says by whom", () => {
    const decision = decide(input(), NOW);
    assert.deepEqual([decision.decision, decision.slsaLevel], ["allow", 3]);
    assert.deepEqual(codes(decision), ["verdict-passed", "approved"]);
    assert.match(decision.reasons[1]?.message ?? "", /alice, bob/);
  });

  test("until the first of those that last longest ends, or the verdict", () => {
    const third = approval("carol@acme.example", { grantedAt: NOW - 2 * HOUR });
    const approvals = [third, approval("alice"), approval("bob", { grantedAt: NOW })];
    assert.equal(decide(input({ approvals }), NOW).validUntil, NOW + 23 * HOUR);
    const verdicts = [verdict({ validUntil: NOW + HOUR })];
    assert.equal(decide(input({ approvals, verdicts }), NOW).validUntil, NOW + HOUR);
  });

  test("by one at the service and one in an attestation", () => {
    const attested = [{ attestation: sha256("approval"), approver: "carol", signedAt: NOW - 3 * HOUR }];
    const verdicts = [verdict({ approvals: { ...OF_EVIDENCE, attested } })];
    const decision = decide(input({ verdicts, approvals: [approval("alice")] }), NOW);
    assert.deepEqual([decision.decision, decision.validUntil], ["allow", NOW + 21 * HOUR]);
  });
});

describe("an approval does not count", () => {
  const attestedBy = (approver: string) =>
    verdict({
      approvals: {
        ...OF_EVIDENCE,
        attested: [{ attestation: sha256("approval"), approver, signedAt: NOW - HOUR }],
      },
    });
  const cases: readonly (readonly [string, Partial<DecisionInput>, RegExp])[] = [
    ["that nobody gave", { approvals: [approval("alice")] }, /1 of 2 approvals, which alice or bob/],
    ["of another policy", { approvals: [approval("alice"), approval("bob", { policy: "scan" })] }, /1 of 2/],
    [
      "of another version of the policy",
      { approvals: [approval("alice"), approval("bob", { policyHash: "sha256:older" })] },
      /bob does not count: of another version/,
    ],
    [
      "of other evidence",
      { verdicts: [verdict({ attestations: [PROVENANCE, LATER_SCAN] })] },
      /0 of 2 .* of other evidence/,
    ],
    [
      "that ends at this very moment",
      { approvals: [approval("alice"), approval("bob", { grantedAt: NOW - 24 * HOUR })] },
      /bob does not count: expired/,
    ],
    [
      "of one who may not give it",
      { approvals: [approval("alice"), approval("eve")] },
      /eve does not count: not among/,
    ],
    [
      "of one who had it built, in other letters",
      {
        approvals: [approval("alice"), approval("bob")],
        verdicts: [verdict({ approvals: { actors: ["BOB"], attested: [] } })],
      },
      /bob does not count: built/,
    ],
    [
      "of one who had it built, by the page of the account",
      { verdicts: [verdict({ approvals: { actors: ["https://github.com/Bob"], attested: [] } })] },
      /bob does not count: built/,
    ],
    [
      "of what signed the provenance",
      {
        approvals: [approval("alice"), approval("release-bot")],
        verdicts: [verdict({ approvals: { actors: ["release-bot"], attested: [] } })],
      },
      /release-bot does not count: built/,
    ],
    ["twice", { approvals: [approval("alice"), approval("alice", { id: "again" })] }, /1 of 2/],
    [
      "twice, in both ways",
      { approvals: [approval("alice")], verdicts: [attestedBy("https://github.com/Alice")] },
      /1 of 2/,
    ],
    [
      "in an attestation of the builder's",
      {
        approvals: [approval("alice")],
        verdicts: [attestedBy("https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main")],
      },
      /does not count: built/,
    ],
    [
      "where it is not known who built the artifact",
      { verdicts: [{ ...verdict(), approvals: undefined } as unknown as StandingVerdict] },
      /not known who built/,
    ],
  ];
  for (const [what, over, message] of cases) {
    test(what, () => {
      const decision = decide(input(over), NOW);
      assert.equal(decision.decision, "deny");
      assert.deepEqual(codes(decision), ["approval-missing"]);
      assert.match(decision.reasons[0]?.message ?? "", message);
    });
  }

  test("for a verdict that failed, is outdated or has expired", () => {
    for (const [over, code] of [
      [{ outcome: "failed" }, "verdict-failed"],
      [{ policyHash: "sha256:older" }, "verdict-outdated"],
      [{ validUntil: NOW }, "verdict-expired"],
    ] as const) {
      assert.deepEqual(codes(decide(input({ verdicts: [verdict(over)] }), NOW)), [code]);
    }
  });
});

const APPROVERS = ["alice", "bob", "carol@acme.example", "eve", "Alice", "mallory"];
const anApproval = fc.record({
  approver: fc.constantFrom(...APPROVERS),
  policy: fc.constantFrom("release", "scan"),
  policyHash: fc.constantFrom("sha256:policy", "sha256:older"),
  attestations: fc.constantFrom([PROVENANCE, SCAN], [PROVENANCE]),
  grantedAt: fc.integer({ min: NOW - 30 * HOUR, max: NOW }),
});
const approvalsOf = fc
  .array(anApproval, { maxLength: 8 })
  .map((some) => some.map((one, i) => approval(one.approver, { ...one, id: String(i) })));

test("an approval that has nothing to do with the pass never turns a denial into an allowance", () => {
  const unrelated = fc
    .tuple(
      anApproval,
      fc.constantFrom<Partial<Approval>>(
        { policy: "scan" },
        { policyHash: "sha256:x" },
        { attestations: [] },
        { approver: "eve" },
      ),
    )
    .map(([one, other]) => approval(one.approver, { ...one, ...other }));
  fc.assert(
    fc.property(approvalsOf, unrelated, (approvals, one) => {
      const before = decide(input({ approvals }), NOW);
      const after = decide(input({ approvals: [...approvals, one] }), NOW);
      assert.deepEqual([after.decision, after.validUntil], [before.decision, before.validUntil]);
    }),
  );
});

test("to withdraw never turns a denial into an allowance, nor lets one last longer", () => {
  fc.assert(
    fc.property(approvalsOf, fc.nat(), (approvals, at) => {
      const before = decide(input({ approvals }), NOW);
      const after = decide(input({ approvals: approvals.toSpliced(at % (approvals.length || 1), 1) }), NOW);
      if (before.decision === "deny") assert.equal(after.decision, "deny");
      else if (after.decision === "allow") assert.ok((after.validUntil ?? 0) <= (before.validUntil ?? 0));
    }),
  );
});

test("the order in which approvals were given changes nothing", () => {
  fc.assert(
    fc.property(approvalsOf, (approvals) => {
      const [there, back] = [approvals, approvals.toReversed()].map((some) =>
        decide(input({ approvals: some }), NOW),
      );
      assert.deepEqual([there?.decision, there?.validUntil], [back?.decision, back?.validUntil]);
    }),
  );
});

test("what is decided changes at no other time than an end", () => {
  const hours = fc.integer({ min: -30, max: 30 }).map((count) => NOW + count * HOUR);
  const ended = fc.record({
    approvals: approvalsOf,
    exceptions: fc.array(
      hours.map((expiresAt) => exception({ expiresAt })),
      { maxLength: 1 },
    ),
    verdicts: fc.array(hours, { maxLength: 2 }).map((times) => {
      const attested = times.map((signedAt) => ({
        attestation: sha256("a"),
        approver: `by ${signedAt}`,
        signedAt,
      }));
      return [verdict({ approvals: { ...OF_EVIDENCE, attested } })];
    }),
  });
  const said = ({ decision, validUntil }: Decision) => [decision, validUntil];
  fc.assert(
    fc.property(ended, hours, (over, now) => {
      const state = input(over);
      const next = Math.min(...endsOf(state, state.inForce).filter((end) => end > now), now + 40 * HOUR);
      assert.deepEqual(said(decide(state, next - 1)), said(decide(state, now)));
    }),
  );
});
