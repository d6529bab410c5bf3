import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { evaluate } from "../../src/policy/evaluate.ts";
import { alone } from "../../src/policy/question.ts";
import type { Evaluation } from "../../src/policy/types.ts";
import type { VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import { anArtifact, COMMIT, releaseOf, SIGNED_AT } from "../support/attestations.ts";
import { besides, evidenceBy, REVIEW, SCAN } from "../support/evidence.ts";
import fc from "../support/fc.ts";
import { NOW } from "../support/policies.ts";

const POLICY = besides(
  [
    `{name: scan, predicateTypes: ["${SCAN}"], signers: [{key: scanner}, {key: other}], maxAge: 1d, rules: [{name: clean, cel: predicate.findings == 0}]}`,
    `{name: review, predicateTypes: ["${REVIEW}"], signers: [{key: ada}, {key: bob}, {key: eve}], require: {atLeast: 2}}`,
  ],
  [
    "{name: scanned-commit, cel: evidence.scan.predicate.commit == source.commit}",
    "{name: reviewed-commit, cel: 'evidence.review.exists(r, r.predicate.commit == source.commit)'}",
  ],
);

const artifact = anArtifact();
const OLD = "0".repeat(40);
const commit = fc.constantFrom(COMMIT, COMMIT, OLD);
const time = fc.integer({ min: -4, max: 0 }).map((n) => SIGNED_AT + n * 1_000);

const release = fc
  .record({
    commit,
    times: time.map((at) => [at]),
    subjectName: fc.constantFrom("app.tar.gz", "app.tar.gz", "tool"),
  })
  .map((said) => releaseOf({ artifact, ...said }));
const scan = fc
  .tuple(fc.constantFrom("scanner", "other", "mallory"), commit, fc.constantFrom(0, 0, 1), time)
  .map(([key, at, findings, when]) => evidenceBy(key, artifact, SCAN, { commit: at, findings }, when));
const review = fc
  .tuple(fc.constantFrom("ada", "bob", "eve", "mallory"), commit, time)
  .map(([key, at, when]) => evidenceBy(key, artifact, REVIEW, { commit: at }, when));
const unrelated = fc
  .tuple(fc.constantFrom("scanner", "ada", "mallory"), fc.json(), time)
  .map(([key, text, when]) => evidenceBy(key, artifact, "https://example.com/other/v1", { text }, when));

/** Often enough to pass: one of each kind at least. */
const evidence = fc
  .tuple(
    fc.array(release, { minLength: 1, maxLength: 3 }),
    fc.array(scan, { minLength: 1, maxLength: 4 }),
    fc.array(review, { minLength: 1, maxLength: 5 }),
  )
  .map((kinds) => kinds.flat());

const judge = (all: readonly VerifiedAttestation[]): Evaluation =>
  evaluate(POLICY, alone(artifact, all), NOW);

/** What one signer says in one predicate type. */
function seriesOf({ signer, statement }: VerifiedAttestation): string {
  return JSON.stringify([statement?.predicateType, signer.case === "key" ? signer.name : signer.identity]);
}

describe("whatever the evidence is", () => {
  test("some of what is tried below passes, and some fails", () => {
    const outcomes = fc.sample(evidence, { numRuns: 300, seed: 7 }).map((all) => judge(all).outcome);
    assert.deepEqual([...new Set(outcomes)].sort(), ["failed", "passed"]);
  });

  test("its order does not matter, and the same gives the same", () => {
    const shuffled = evidence.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    fc.assert(
      fc.property(shuffled, ([all, other]) => {
        assert.deepEqual(judge(all), judge(other));
        assert.deepEqual(judge(all), judge(all));
      }),
      { numRuns: 300 },
    );
  });

  test("evidence that nothing in the policy asks for changes nothing", () => {
    fc.assert(
      fc.property(evidence, fc.array(unrelated, { maxLength: 3 }), (all, more) => {
        const verdict = ({ outcome, slsaLevel, attestations, validUntil }: Evaluation) => ({
          outcome,
          slsaLevel,
          attestations,
          validUntil,
        });
        const [before, after] = [judge(all), judge([...more, ...all])];
        assert.deepEqual(verdict(after), verdict(before));
        if (before.outcome === "passed") assert.deepEqual(after.checks, before.checks);
      }),
      { numRuns: 300 },
    );
  });

  test("keeping back all that a signer says in a predicate type turns no failure into a pass", () => {
    fc.assert(
      fc.property(evidence, (all) => {
        if (judge(all).outcome === "passed") return;
        for (const series of new Set(all.map(seriesOf))) {
          assert.equal(judge(all.filter((one) => seriesOf(one) !== series)).outcome, "failed");
        }
      }),
      { numRuns: 300 },
    );
  });

  test("a pass does not outlive what it rests on, and does not do without it", () => {
    fc.assert(
      fc.property(evidence, (all) => {
        const { outcome, validUntil = 0, attestations } = judge(all);
        if (outcome === "failed") return;
        const used = all.filter(({ id }) => attestations.includes(id));
        assert.equal(evaluate(POLICY, alone(artifact, used), NOW).outcome, "passed");
        assert.equal(evaluate(POLICY, alone(artifact, used), validUntil - 1).outcome, "passed");
        assert.equal(evaluate(POLICY, alone(artifact, used), validUntil).outcome, "failed");
        for (const type of [SCAN, REVIEW, "https://slsa.dev/provenance/v1"]) {
          const rest = all.filter(({ statement }) => statement?.predicateType !== type);
          assert.equal(judge(rest).outcome, "failed");
        }
      }),
      { numRuns: 300 },
    );
  });
});
