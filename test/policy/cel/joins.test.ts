import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject } from "../../../src/in-toto-attestation/index.ts";
import { evaluate } from "../../../src/policy/evaluate.ts";
import type { VerificationPolicy } from "../../../src/policy/policy.ts";
import { alone } from "../../../src/policy/question.ts";
import type { VerifiedAttestation } from "../../../src/verify/verified-attestation.ts";
import { anArtifact, COMMIT, releaseOf, SIGNED_AT } from "../../support/attestations.ts";
import { besides, evidenceBy, REVIEW, SCAN } from "../../support/evidence.ts";
import { NOW } from "../../support/policies.ts";
import { places } from "../../support/policy-files.ts";

const REVIEWERS = "signers: [{key: ada}, {key: bob}, {key: eve}]";
const ONE = `{name: review, predicateTypes: ["${REVIEW}"], ${REVIEWERS}, maxAge: 1d}`;
const SEVERAL = `{name: review, predicateTypes: ["${REVIEW}"], ${REVIEWERS}, require: {atLeast: 1}, maxAge: 1d}`;

type Review = readonly [signer: string, predicate: JsonObject, time?: number];

function judge(policy: VerificationPolicy, ...reviews: readonly Review[]) {
  const artifact = anArtifact();
  const evidence: VerifiedAttestation[] = [
    releaseOf({ artifact }),
    ...reviews.map(([signer, predicate, time]) => evidenceBy(signer, artifact, REVIEW, predicate, time)),
  ];
  const evaluation = evaluate(policy, alone(artifact, evidence), NOW);
  const failed = evaluation.checks.filter(({ passed }) => !passed);
  return { ...evaluation, failed };
}

describe("a join of single attestations", () => {
  const policy = besides(
    [ONE],
    ["{name: same-commit, cel: evidence.review.predicate.commit == source.commit}"],
  );

  test("holds when they say the same", () => {
    const { outcome, attestations, checks } = judge(policy, ["ada", { commit: COMMIT }]);
    assert.equal(outcome, "passed");
    assert.equal(attestations.length, 2);
    assert.equal(checks.at(-1)?.check, "join:same-commit");
  });

  test("fails when they do not, or when one says nothing", () => {
    const NO_ANSWER = /^no answer: /;
    for (const [predicate, actual] of [
      [{ commit: "0".repeat(40) }, /^false$/],
      [{}, NO_ANSWER],
      [{ commit: [COMMIT] }, /^false$|^no answer/],
    ] as const) {
      const { outcome, failed, attestations, checks } = judge(policy, ["ada", predicate]);
      assert.equal(outcome, "failed");
      assert.deepEqual(attestations, []);
      assert.deepEqual(
        failed.map(({ check }) => check),
        ["join:same-commit"],
      );
      assert.equal(checks[0], failed[0], "the failure comes first");
      assert.match(failed[0]?.actual ?? "", actual);
    }
  });

  test("takes whichever attestation it is true of, and rests on that one", () => {
    const reviews: Review[] = [
      ["ada", { commit: "0".repeat(40) }, SIGNED_AT],
      ["bob", { commit: COMMIT }, SIGNED_AT - 5_000],
    ];
    const { outcome, validUntil } = judge(policy, ...reviews);
    assert.equal(outcome, "passed");
    assert.equal(validUntil, SIGNED_AT - 5_000 + 86_400_000);
  });

  test("takes whichever build it is true of", () => {
    const artifact = anArtifact();
    const commit = "0".repeat(40);
    const review = evidenceBy("ada", artifact, REVIEW, { commit });
    const newer = releaseOf({ artifact, times: [SIGNED_AT + 1_000] });
    const older = releaseOf({ artifact, commit, ref: "refs/tags/v2" });
    const { outcome, attestations } = evaluate(policy, alone(artifact, [newer, older, review]), NOW);
    assert.deepEqual([outcome, attestations], ["passed", [older.id, review.id]]);
  });
});

describe("where a requirement says how many, a join sees a list", () => {
  const two = besides(
    [SEVERAL],
    [
      "{name: two, cel: 'size(evidence.review.filter(r, r.predicate.commit == source.commit)) >= 2', message: two reviews of the commit}",
    ],
  );

  test("of one attestation of each signer, the newest", () => {
    const commit = { commit: COMMIT };
    assert.equal(judge(two, ["ada", commit], ["bob", commit]).outcome, "passed");
    assert.equal(judge(two, ["ada", commit], ["ada", { ...commit, again: true }]).outcome, "failed");
    const { failed } = judge(two, ["ada", commit], ["bob", { commit: "x" }]);
    assert.deepEqual(
      failed.map(({ check, expected }) => [check, expected]),
      [["join:two", "two reviews of the commit"]],
    );
  });

  test("all of which the verdict rests on", () => {
    const all = besides([SEVERAL], ["{name: all, cel: 'evidence.review.all(r, r.predicate.ok == true)'}"]);
    const { outcome, validUntil, attestations } = judge(
      all,
      ["ada", { ok: true }],
      ["bob", { ok: true }, SIGNED_AT - 1_000],
      ["eve", { ok: true }, SIGNED_AT - 2_000],
    );
    assert.deepEqual([outcome, attestations.length], ["passed", 4]);
    assert.equal(validUntil, SIGNED_AT - 2_000 + 86_400_000);
    assert.equal(judge(all, ["ada", { ok: true }], ["bob", { ok: false }]).outcome, "failed");
  });
});

test("joins are asked over all choices, within one budget", () => {
  const scan = `{name: scan, predicateTypes: ["${SCAN}"], signers: [{key: a}, {key: b}, {key: c}]}`;
  const join = "{name: pair, cel: evidence.scan.predicate.n + evidence.review.predicate.n == 5.0}";
  const artifact = anArtifact();
  const evidence = [
    releaseOf({ artifact }),
    ...["a", "b", "c"].map((key, n) => evidenceBy(key, artifact, SCAN, { n })),
    ...["ada", "bob", "eve"].map((key, n) => evidenceBy(key, artifact, REVIEW, { n: n + 1 })),
  ];
  assert.equal(evaluate(besides([scan, ONE], [join]), alone(artifact, evidence), NOW).outcome, "passed");
  const never = besides([scan, ONE], [join.replace("5.0", "6.0")]);
  assert.equal(evaluate(never, alone(artifact, evidence), NOW).outcome, "failed");
});

describe("mistakes are found when a policy loads", () => {
  const file = (evidence: string, join: string, more = "") => `apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: {name: p}
spec:
  artifacts: {names: ["**"]}
  signers: [{key: k}]
  evidence:
    - ${evidence}
  joins:
    - {name: j, cel: "${join}"}
${more}`;
  const review = "{name: review, predicateTypes: [t], signers: [{key: k}]}";
  const several = "{name: review, predicateTypes: [t], signers: [{key: k}], require: {atLeast: 1}}";

  test("a policy that is right has none", () => {
    assert.deepEqual(places(file(review, "evidence.review.source.commit == source.commit")), []);
    assert.deepEqual(places(file(several, "evidence.review.all(r, r.source.commit == source.commit)")), []);
  });

  const JOINS: readonly [evidence: string, join: string, pointedAt: string][] = [
    [review, "evidence.revew.source.commit == source.commit", "revew"],
    [review, "evidence.review.source.comit == source.commit", "comit =="],
    [review, "has(evidence.review.source.comit)", "comit)"],
    [review, "has(evidence.revew)", "revew"],
    [review, "evidence.review.source.commit", "evidence"],
    [review, "evidence.review.all(r, true)", "review"],
    [several, "evidence.review.all(r, r.source.comit == '')", "comit =="],
    [several, "evidence.review.all(r, 1 in r.subjects)", "1 in"],
    [several, "evidence.review[0].source.commit == ''", "[0]"],
    [several, "evidence.review.filter(r, true)[0].source.commit == ''", "[0]"],
    [review, "evidence.review.predicateType.matches('a')", "matches"],
  ];
  for (const [evidence, join, pointedAt] of JOINS) {
    test(join, () => {
      const column = '    - {name: j, cel: "'.length + join.indexOf(pointedAt) + 1;
      assert.deepEqual(places(file(evidence, join)), [`10:${column}`]);
    });
  }

  const REQUIREMENTS: readonly [evidence: string, ...places: string[]][] = [
    ["{name: in, predicateTypes: [t], signers: [{key: k}]}", "8:14"],
    ["{name: constructor, predicateTypes: [t], signers: [{key: k}]}", "8:14"],
    ["{name: __proto__, predicateTypes: [t], signers: [{key: k}]}", "8:14"],
    ["{name: a-b, predicateTypes: [t], signers: [{key: k}]}", "8:14"],
    ["{name: a, signers: [{key: k}]}", "8:7"],
    ["{name: a, predicateTypes: [t]}", "8:7"],
    ["{name: a, predicateTypes: [], signers: [{key: k}]}", "8:33"],
    ["{name: a, predicateTypes: [t], signers: [{key: k}], require: {atLeast: 0}}", "8:78"],
    ["{name: a, predicateTypes: [t], signers: [{key: k}], require: {atLast: 1}}", "8:68", "8:69"],
    ["{name: a, predicateTypes: [t], signers: [{key: k}], rules: [{name: r, cel: evidence.a == 1}]}", "8:82"],
    [
      "{name: a, predicateTypes: [t], signers: [{key: k}], vsa: {verifierIds: [v], resourceUris: [r]}}",
      "8:7",
    ],
    [
      "{name: a, predicateTypes: ['**'], signers: [{key: k}], vsa: {verifierIds: [v], resourceUris: [r], levels: [SLSA_BULD_LEVEL_3]}}",
      "8:114",
    ],
    [`${review}\n    - ${review}`, "8:5"],
  ];
  for (const [evidence, ...expected] of REQUIREMENTS) {
    test(evidence, () => assert.deepEqual(places(file(evidence, "true")).sort(), expected));
  }

  test("more rules and joins than may be asked", () => {
    const rules = (count: number) =>
      `rules: [${Array.from({ length: count }, (_, index) => `{name: r${index}, cel: "true"}`).join(", ")}]`;
    const evidence = `{name: a, predicateTypes: [t], signers: [{key: k}], ${rules(40)}}`;
    assert.deepEqual(places(file(evidence, "true", `  ${rules(23)}\n`)), []);
    assert.deepEqual(places(file(evidence, "true", `  ${rules(24)}\n`)), ["5:3"]);
  });
});
