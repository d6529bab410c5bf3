import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  decide,
  type InForce,
  type PolicyInForce,
  type StandingVerdict,
} from "../../src/decisions/decide.ts";
import type { View } from "../../src/decisions/projection.ts";
import {
  type Answer,
  answerOf,
  keepAnswer,
  keptAnswer,
  outcomeOf,
} from "../../src/decisions/written-answer.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import fc from "../support/fc.ts";

const DIGEST = sha256("artifact");

function policy(hash: string): PolicyInForce {
  return { hash, spec: { mode: "enforce" } };
}

function inForce(): InForce {
  return {
    policies: new Map([
      ["a", policy("hash of a")],
      ["b", policy("hash of b")],
    ]),
    trust: "trust",
    holding: new Set(["trust"]),
    revocationsAsOf: 0,
    isSuspended: false,
  };
}

function verdict(
  policy: string,
  validUntil?: number,
  outcome: StandingVerdict["outcome"] = "passed",
): StandingVerdict {
  return {
    artifact: DIGEST,
    policy,
    policyHash: `hash of ${policy}`,
    trustHash: "trust",
    evidenceSet: "evidence",
    outcome,
    slsaLevel: 3,
    attestations: [],
    checks: [],
    ...(validUntil !== undefined && { validUntil }),
    restsOn: [],
    index: 7,
    isOvertaken: false,
    asOf: 0,
  };
}

function viewWith(...verdicts: StandingVerdict[]): View {
  return {
    asOf: 8,
    artifact: {
      state: { verdicts, quarantines: [], approvals: [], exceptions: [], hasEvidence: true },
      answers: [],
    },
    inForce: inForce(),
  };
}

/** As the service does: what was kept, or else decided and kept. */
function ask(view: View, policies: readonly string[], now: number): Answer {
  const kept = keptAnswer(view, policies, now)?.json;
  const json = kept ?? JSON.stringify(decideAnew(view, policies, now));
  if (kept === undefined) keepAnswer(view, policies, now, { json, outcome: outcomeOf(JSON.parse(json)) });
  return JSON.parse(json);
}

function decideAnew({ artifact, inForce }: View, policies: readonly string[], now: number): Answer {
  return answerOf(decide({ digest: DIGEST, policies, inForce, ...artifact.state }, now));
}

describe("an answer that was written is given again", () => {
  test("to the same policies, named by another caller", () => {
    const view = viewWith(verdict("a"), verdict("b"));
    const answer = ask(view, ["a", "b"], 0);
    assert.equal(keptAnswer(view, ["a", "b"], 0)?.json, JSON.stringify(answer));
  });

  const others: [string, readonly string[]][] = [
    ["fewer", ["a"]],
    ["more", ["a", "b", "c"]],
    ["others", ["a", "c"]],
    ["none", []],
  ];
  for (const [name, policies] of others) {
    test(`not to ${name} policies`, () => {
      const view = viewWith(verdict("a"), verdict("b"));
      ask(view, ["a", "b"], 0);
      assert.equal(keptAnswer(view, policies, 0), undefined);
    });
  }

  test("not when a verdict has ended since", () => {
    const view = viewWith(verdict("a", 1_000));
    assert.equal(ask(view, ["a"], 999).decision, "allow");
    assert.equal(keptAnswer(view, ["a"], 1_000), undefined);
    assert.equal(ask(view, ["a"], 1_000).decision, "deny");
  });

  test("not when the clock was set back to before a verdict's end", () => {
    const view = viewWith(verdict("a", 1_000));
    assert.equal(ask(view, ["a"], 1_000).decision, "deny");
    assert.equal(ask(view, ["a"], 999).decision, "allow");
  });

  test("not when something else is in force", () => {
    const view = viewWith(verdict("a"));
    assert.equal(ask(view, ["a"], 0).decision, "allow");
    const edited = {
      ...view,
      inForce: { ...inForce(), policies: new Map([["a", policy("edited")]]) },
    };
    assert.equal(keptAnswer(edited, ["a"], 0), undefined);
    assert.equal(ask(edited, ["a"], 0).decision, "deny");
    assert.equal(edited.artifact.answers.length, 1, "what no longer holds is not kept");
  });
});

test("few answers are kept of one artifact, the newest", () => {
  const view = viewWith(verdict("a"));
  for (let i = 0; i < 10; i++) ask(view, ["a", `${i}`], 0);
  assert.equal(view.artifact.answers.length, 4);
  assert.notEqual(keptAnswer(view, ["a", "9"], 0), undefined);
  assert.equal(keptAnswer(view, ["a", "0"], 0), undefined);
});

test("whatever is asked, in whatever order and at whatever time, the answer is what decide says then", () => {
  const times = fc.integer({ min: 0, max: 12 });
  const verdicts = fc.tuple(
    ...["a", "b"].map((policy) =>
      fc.option(
        fc
          .record({
            until: fc.option(times, { nil: undefined }),
            outcome: fc.constantFrom("passed", "failed"),
          })
          .map(({ until, outcome }) => verdict(policy, until, outcome as StandingVerdict["outcome"])),
        { nil: undefined },
      ),
    ),
  );
  const questions = fc.array(
    fc.record({ policies: fc.subarray(["a", "b", "c"]), now: times, changed: fc.boolean() }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(verdicts, questions, (some, asked) => {
      let view = viewWith(...some.filter((one) => one !== undefined));
      for (const { policies, now, changed } of asked) {
        if (changed)
          view = { ...view, inForce: { ...view.inForce, holding: new Set(now % 2 ? ["trust"] : []) } };
        assert.deepEqual(ask(view, policies, now), decideAnew(view, policies, now));
      }
    }),
  );
});
