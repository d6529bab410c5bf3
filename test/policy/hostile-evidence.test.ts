import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject, JsonValue } from "../../src/in-toto-attestation/index.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import { alone } from "../../src/policy/question.ts";
import type { Check } from "../../src/policy/types.ts";
import type { VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import { anArtifact, releaseOf, SIGNED_AT, workflowSigner } from "../support/attestations.ts";
import { besides, evidenceBy, REVIEW, SCAN } from "../support/evidence.ts";
import { UNLESS_LONG } from "../support/long.ts";
import { NOW } from "../support/policies.ts";

const TYPES = `signers: [{key: a}, {key: b}, {key: c}], predicateTypes:`;

const ARTIFACT = anArtifact();

/** A build, and a scan and a review with this predicate by three signers. */
function evidenceWith(predicate: JsonObject): VerifiedAttestation[] {
  const signed = ["a", "b", "c"].flatMap((key) =>
    [SCAN, REVIEW].map((type) => evidenceBy(key, ARTIFACT, type, predicate)),
  );
  return [releaseOf({ artifact: ARTIFACT }), ...signed];
}

/** What one check found of evidence, where there are these rules of scans and these joins. */
function ask(
  check: string,
  evidence: readonly VerifiedAttestation[],
  requirement: string,
  joins: readonly string[] = [],
): Check {
  const policy = besides(
    [
      `{name: scan, ${TYPES} ["${SCAN}"]${requirement}}`,
      `{name: review, ${TYPES} ["${REVIEW}"], require: {atLeast: 3}}`,
    ],
    joins,
  );
  const { checks } = evaluate(policy, alone(ARTIFACT, evidence), NOW);
  const found = checks.find((one) => one.check === check);
  assert.ok(found, checks.map((one) => one.check).join(", "));
  return found;
}

function nested(depth: number): JsonValue {
  return depth === 0 ? "x" : { __proto__: 1, inner: [nested(depth - 1)] };
}

const ITEMS = 100_000;
const MANY = evidenceWith(
  JSON.parse(
    `{"many":[${Array.from({ length: ITEMS }, (_, n) => `{"n":${n},"__proto__":{"ok":true}}`).join()}]}`,
  ),
);
const HUGE = evidenceWith({ text: "a".repeat(16 * 1024 * 1024 - 64) });
const DEEP = evidenceWith(nested(30) as JsonObject);

describe("what signers may write costs a rule no more than its steps", { skip: UNLESS_LONG }, () => {
  const TOO_MUCH: readonly [expression: string, evidence: readonly VerifiedAttestation[]][] = [
    ["predicate.many.all(x, predicate.many.exists(y, y.n == -1.0) || true)", MANY],
    ["predicate.many.all(x, predicate == predicate && [predicate] != [x])", MANY],
    [
      'predicate.text.contains("b") || [1, 2, 3, 4, 5, 6, 7, 8].all(x, predicate.text + "b" != predicate.text)',
      HUGE,
    ],
  ];
  for (const [expression, evidence] of TOO_MUCH) {
    test(`a rule: ${expression}`, () => {
      const check = ask("evidence.scan.rule:r", evidence, `, rules: [{name: r, cel: '${expression}'}]`);
      assert.equal(check.passed, false);
      assert.match(check.actual, /steps/);
    });
  }

  const JOINS: readonly [expression: string, evidence: readonly VerifiedAttestation[]][] = [
    ["evidence.scan.predicate.many.all(x, evidence.review.exists(r, r.predicate == x) || true)", MANY],
    [
      "evidence.scan.predicate.many.all(x, evidence.review.all(r, r.predicate == evidence.scan.predicate))",
      MANY,
    ],
    ["evidence.review.all(r, r.predicate.many.all(x, x in evidence.scan.predicate.many))", MANY],
    [
      "evidence.review.all(r, evidence.review.all(s, r.predicate.text + s.predicate.text != s.predicate.text))",
      HUGE,
    ],
  ];
  for (const [expression, evidence] of JOINS) {
    test(`a join: ${expression}`, () => {
      const check = ask("join:j", evidence, "", [`{name: j, cel: '${expression}'}`]);
      assert.equal(check.passed, false);
      assert.match(check.actual, /steps/);
    });
  }

  test("members that objects inherit are not there, whatever they are called", () => {
    const cel = 'predicate.many.all(x, !has(x.ok)) && predicate.many[0]["__proto__"].ok == true';
    assert.equal(ask("evidence.scan.rule:r", MANY, `, rules: [{name: r, cel: '${cel}'}]`).actual, "true");
  });

  test("deep nesting is compared and answered", () => {
    const join = "evidence.review.all(r, r.predicate == evidence.scan.predicate)";
    assert.equal(ask("join:j", DEEP, "", [`{name: j, cel: '${join}'}`]).actual, "true");
  });
});

test("many signers' evidence makes no more choices than are tried, the newest first", () => {
  const artifact = anArtifact();
  const keys = Array.from({ length: 40 }, (_, n) => `k${n}`);
  const signers = `signers: [${keys.map((key) => `{key: ${key}}`).join(", ")}]`;
  const evidence = keys.flatMap((key, n) =>
    [SCAN, REVIEW].map((type) => evidenceBy(key, artifact, type, { n }, SIGNED_AT - n)),
  );
  const judge = (scan: number) =>
    evaluate(
      besides(
        [
          `{name: scan, predicateTypes: ["${SCAN}"], ${signers}}`,
          `{name: review, predicateTypes: ["${REVIEW}"], ${signers}}`,
        ],
        [`{name: j, cel: evidence.scan.predicate.n == ${scan}.0 && evidence.review.predicate.n >= 0.0}`],
      ),
      alone(artifact, [releaseOf({ artifact }), ...evidence]),
      NOW,
    );
  assert.deepEqual([judge(0).outcome, judge(6).outcome], ["passed", "passed"], "the 241st choice");
  const { outcome, checks } = judge(7);
  assert.deepEqual([outcome, checks[0]?.check], ["failed", "join:j"], "the 281st");
  assert.ok(checks.length < 40);
});

test("a join spends one budget on all the choices that it is asked about", () => {
  const artifact = anArtifact();
  const policy = besides(
    [`{name: scan, ${TYPES} ["${SCAN}"]}`],
    [
      "{name: j, cel: 'evidence.scan.predicate.many.all(x, x.n >= 0.0) && evidence.scan.predicate.ok == true'}",
    ],
  );
  const many = Array.from({ length: 50_000 }, (_, n) => ({ n }));
  const outcome = (...isGood: readonly boolean[]) => {
    const scans = isGood.map((ok, n) =>
      evidenceBy(["a", "b", "c"][n] ?? "d", artifact, SCAN, { many, ok }, SIGNED_AT - n * 1_000),
    );
    const { checks } = evaluate(policy, alone(artifact, [releaseOf({ artifact }), ...scans]), NOW);
    return checks.find(({ check }) => check === "join:j")?.passed;
  };
  assert.deepEqual([outcome(true), outcome(false, true)], [true, true]);
  assert.equal(outcome(false, false, true), false, "the third is beyond the budget");
});

test("many rules on much evidence take no more together than an evaluation may, the newest evidence first", () => {
  const artifact = anArtifact();
  const keys = Array.from({ length: 40 }, (_, n) => `k${n}`);
  const many = Array.from({ length: 50_000 }, (_, n) => ({ n }));
  // Each takes a part of what a rule may.
  const rules = [0, 1, 2].map((n) => `{name: r${n}, cel: 'predicate.many.all(x, x.n >= ${n - 2}.0)'}`);
  const policy = besides([
    `{name: scan, signers: [${keys.map((key) => `{key: ${key}}`).join(", ")}], predicateTypes: ["${SCAN}"],
      rules: [${rules.join(", ")}], require: {atLeast: 16}}`,
  ]);
  const scans = keys.map((key, n) => evidenceBy(key, artifact, SCAN, { many }, SIGNED_AT - n * 1_000));
  const ask = (evidence: readonly VerifiedAttestation[]) =>
    evaluate(policy, alone(artifact, [releaseOf({ artifact }), ...evidence]), NOW);
  const { outcome, checks } = ask(scans);
  assert.equal(outcome, "failed");
  const passing = checks.find(({ check }) => check === "evidence.scan")?.actual ?? "";
  assert.match(passing, /^key k0, key k1, /);
  assert.ok(checks.some(({ actual }) => /take more than 8000000 steps together/.test(actual)));
  assert.deepEqual(ask(scans.toReversed()), { outcome, checks, slsaLevel: 0, attestations: [], restsOn: [] });
});

test("a join sees the evidence of so many signers and no more", () => {
  const artifact = anArtifact();
  const signers = `signers: [{issuer: "**", identity: "*@acme.example"}]`;
  const sees = (size: number) =>
    besides(
      [`{name: review, predicateTypes: ["${REVIEW}"], ${signers}, require: {atLeast: 1}}`],
      [`{name: size, cel: size(evidence.review) == ${size}}`],
    );
  const reviews = Array.from({ length: 40 }, (_, n) =>
    evidenceBy(workflowSigner(`p${n}@acme.example`), artifact, REVIEW, {}, SIGNED_AT - n),
  );
  const { outcome, attestations } = evaluate(
    sees(16),
    alone(artifact, [releaseOf({ artifact }), ...reviews]),
    NOW,
  );
  assert.deepEqual([outcome, attestations.length], ["passed", 17]);
  assert.deepEqual(
    attestations.slice(1),
    reviews.slice(0, 16).map(({ id }) => id),
    "the newest first",
  );
});
