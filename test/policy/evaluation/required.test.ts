import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { digestOf } from "../../../src/in-toto-attestation/index.ts";
import { evaluate } from "../../../src/policy/evaluate.ts";
import { alone } from "../../../src/policy/question.ts";
import { anArtifact, releaseOf, SIGNED_AT, workflowSigner } from "../../support/attestations.ts";
import { besides, evidenceBy, REVIEW, SCAN } from "../../support/evidence.ts";
import { missesOf, NOW } from "../../support/policies.ts";

const DAY = 86_400_000;
const CLEAN = `{name: scan, predicateTypes: ["${SCAN}"], signers: [{key: scanner}], maxAge: 1d, rules: [{name: clean, cel: predicate.findings == 0}]}`;
const SCANNED = besides([CLEAN]);

describe("required evidence", () => {
  test("passes beside the main attestation, and lends the verdict its age", () => {
    const artifact = anArtifact();
    const release = releaseOf({ artifact });
    const scan = evidenceBy("scanner", artifact, SCAN, { findings: 0 }, SIGNED_AT - 1_000);
    const evaluation = evaluate(SCANNED, alone(artifact, [scan, release]), NOW);
    assert.equal(evaluation.outcome, "passed");
    assert.deepEqual(evaluation.attestations, [release.id, scan.id]);
    assert.equal(evaluation.slsaLevel, 3);
    assert.equal(evaluation.validUntil, SIGNED_AT - 1_000 + DAY);
    const names = evaluation.checks.map(({ check }) => check);
    const own = ["evidence.scan", "evidence.scan.signer", "evidence.scan.maxAge", "evidence.scan.rule:clean"];
    assert.deepEqual(names.slice(-own.length), own);
    const at = (now: number) => evaluate(SCANNED, alone(artifact, [release, scan]), now).outcome;
    assert.deepEqual([at(SIGNED_AT - 1_001 + DAY), at(SIGNED_AT - 1_000 + DAY)], ["passed", "failed"]);
  });

  test("that is not there, or of another type, fails by its name", () => {
    const artifact = anArtifact();
    const release = releaseOf({ artifact });
    assert.deepEqual(missesOf(SCANNED, artifact, release), ["evidence.scan"]);
    const review = evidenceBy("scanner", artifact, REVIEW, { findings: 0 });
    assert.deepEqual(missesOf(SCANNED, artifact, release, review), ["evidence.scan"]);
    const other = evidenceBy("scanner", anArtifact(), SCAN, { findings: 0 });
    assert.deepEqual(missesOf(SCANNED, artifact, release, other), ["evidence.scan"]);
  });

  test("does not do without the main attestation", () => {
    const artifact = anArtifact();
    const scan = evidenceBy("scanner", artifact, SCAN, { findings: 0 });
    const { outcome, checks } = evaluate(SCANNED, alone(artifact, [scan]), NOW);
    assert.equal(outcome, "failed");
    assert.ok(
      checks.every(({ check }) => !check.startsWith("evidence")),
      "the requirement itself is met",
    );
  });

  const FAILURES: readonly [what: string, scan: Parameters<typeof evidenceBy>, failing: string][] = [
    ["another signer", ["other", anArtifact(), SCAN, { findings: 0 }], "signer"],
    ["too old", ["scanner", anArtifact(), SCAN, { findings: 0 }, NOW - DAY], "maxAge"],
    ["a false rule", ["scanner", anArtifact(), SCAN, { findings: 1 }], "rule:clean"],
    ["a rule without an answer", ["scanner", anArtifact(), SCAN, {}], "rule:clean"],
  ];
  for (const [what, scan, failing] of FAILURES) {
    test(`${what}: the nearest miss says what was expected and found`, () => {
      const [, artifact] = scan;
      const { outcome, checks } = evaluate(
        SCANNED,
        alone(artifact, [releaseOf({ artifact }), evidenceBy(...scan)]),
        NOW,
      );
      assert.equal(outcome, "failed");
      const failed = checks.filter(({ passed }) => !passed);
      assert.ok(failed.some(({ check }) => check === `evidence.scan.${failing}`));
      assert.deepEqual(checks.slice(0, failed.length), failed, "failures come first");
      assert.equal(failed[0]?.check, "evidence.scan");
      assert.ok(failed.every(({ expected, actual }) => expected !== "" && actual !== ""));
    });
  }

  test("an older passing scan never hides a newer failing one", () => {
    const artifact = anArtifact();
    const old = evidenceBy("scanner", artifact, SCAN, { findings: 0 }, SIGNED_AT - 2_000);
    const newer = evidenceBy("scanner", artifact, SCAN, { findings: 7 }, SIGNED_AT - 1_000);
    assert.equal(evaluate(SCANNED, alone(artifact, [releaseOf({ artifact }), old]), NOW).outcome, "passed");
    assert.equal(
      evaluate(SCANNED, alone(artifact, [releaseOf({ artifact }), old, newer]), NOW).outcome,
      "failed",
    );
  });

  test("provenance that contradicts its certificate does not count", () => {
    const type = "https://slsa.dev/provenance/v1";
    const rebuilt = besides([
      `{name: rebuilt, predicateTypes: [${type}], signers: [{issuer: "**", identity: "https://rebuild.example/*"}]}`,
    ]);
    const artifact = anArtifact();
    const again = (repository: string) => {
      const claims = { sourceRepositoryUri: repository };
      return releaseOf({ artifact, signer: workflowSigner("https://rebuild.example/w@1", claims) });
    };
    const verdict = (repository: string) =>
      evaluate(rebuilt, alone(artifact, [releaseOf({ artifact }), again(repository)]), NOW);
    assert.equal(verdict("https://github.com/acme/app").outcome, "passed");
    const { checks } = verdict("https://github.com/evil/app");
    assert.ok(checks.some(({ check, passed }) => check === "evidence.rebuilt.source.agreement" && !passed));
  });

  test("a digest that is too weak is none for any requirement", () => {
    const weak = digestOf("sha1", "0".repeat(40));
    const evidence = [releaseOf({ artifact: weak }), evidenceBy("scanner", weak, SCAN, { findings: 0 })];
    assert.deepEqual(missesOf(SCANNED, weak, ...evidence), ["artifact.algorithm"]);
  });
});

describe("k of n signers", () => {
  const TWO = besides([
    `{name: review, predicateTypes: ["${REVIEW}"], signers: [{key: ada}, {key: bob}, {issuer: "**", identity: "**"}], require: {atLeast: 2}, maxAge: 1d}`,
  ]);
  const outcome = (...reviews: [signer: Parameters<typeof evidenceBy>[0], time: number][]) => {
    const artifact = anArtifact();
    const evidence = reviews.map(([signer, time]) => evidenceBy(signer, artifact, REVIEW, { time }, time));
    return evaluate(TWO, alone(artifact, [releaseOf({ artifact }), ...evidence]), NOW);
  };

  test("two signers are two, one signer is one however often it signs", () => {
    assert.equal(outcome(["ada", 1_000 + SIGNED_AT]).outcome, "failed");
    assert.equal(outcome(["ada", SIGNED_AT], ["bob", SIGNED_AT]).outcome, "passed");
    const workflow = workflowSigner("https://github.com/acme/app/.github/workflows/review.yml@refs/heads/a");
    const elsewhere = workflowSigner("https://github.com/acme/app/.github/workflows/review.yml@refs/heads/b");
    assert.equal(outcome([workflow, SIGNED_AT], [elsewhere, SIGNED_AT]).outcome, "failed", "one workflow");
    const other = workflowSigner("https://github.com/acme/app/.github/workflows/audit.yml@refs/heads/a");
    assert.equal(outcome([workflow, SIGNED_AT], [other, SIGNED_AT]).outcome, "passed", "two workflows");
    const people = ["ada@acme.example", "bob@acme.example"].map((one) => workflowSigner(one));
    const [ada = "", bob = ""] = people;
    assert.equal(outcome([ada, SIGNED_AT], [bob, SIGNED_AT]).outcome, "passed", "two people");
    const cased = workflowSigner("Ada@acme.example");
    assert.equal(outcome([ada, SIGNED_AT], [cased, SIGNED_AT]).outcome, "failed", "in two letter cases");
    const elsewhereKnown = { ...workflowSigner("ada@acme.example"), issuer: "https://accounts.google.com" };
    assert.equal(outcome([ada, SIGNED_AT], [elsewhereKnown, SIGNED_AT]).outcome, "failed", "two issuers");
    const sources = ["https://github.com/a/a", "https://github.com/b/b"].map((sourceRepositoryUri) =>
      workflowSigner("https://shared.example/w@1", { sourceRepositoryUri }),
    );
    const [one = "", same = ""] = sources;
    assert.equal(outcome([one, SIGNED_AT], [same, SIGNED_AT]).outcome, "failed", "one identity");
  });

  test("the verdict rests on the newest and lasts as long as they do", () => {
    const { validUntil, attestations } = outcome(
      ["ada", SIGNED_AT],
      ["bob", SIGNED_AT - 5_000],
      [workflowSigner("x@y"), SIGNED_AT - 9_000],
    );
    assert.equal(validUntil, SIGNED_AT - 5_000 + DAY);
    assert.equal(attestations.length, 3);
  });

  test("what is missing is counted", () => {
    const { checks } = outcome(["ada", SIGNED_AT], ["mallory", SIGNED_AT]);
    assert.deepEqual(
      checks.filter(({ passed }) => !passed).map(({ check, expected, actual }) => [check, expected, actual]),
      [
        ["evidence.review", `${REVIEW} by 2 signers`, "key ada"],
        ["evidence.review.signer", "key ada or key bob or ** under **", "key mallory"],
      ],
    );
  });
});
