import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject } from "../../src/in-toto-attestation/index.ts";
import { wholeBudget } from "../../src/policy/cel/meter.ts";
import { compileExpression, ExpressionError } from "../../src/policy/cel.ts";
import { type Facts, factsOf } from "../../src/policy/facts.ts";
import { anArtifact, attestationOf, keySigner, releaseOf } from "../support/attestations.ts";
import { UNLESS_LONG } from "../support/long.ts";

function answerTo(expression: string, facts: Facts) {
  return compileExpression(expression)(facts, wholeBudget());
}

function releaseFacts(): Facts {
  const artifact = anArtifact();
  const facts = factsOf(releaseOf({ artifact }), artifact, () => true);
  assert.ok(facts);
  return facts;
}

function factsAbout(predicate: JsonObject): Facts {
  const artifact = anArtifact();
  const signer = keySigner("scanner");
  const facts = factsOf(
    attestationOf({ artifact, predicateType: "https://example.com/scan/v1", predicate, signer }),
    artifact,
    () => true,
  );
  assert.ok(facts);
  return facts;
}

describe("what rules can say of a release", () => {
  const HOLDS = [
    'provenance.builderId.startsWith("https://github.com/")',
    "provenance.externalParameters.workflow.ref == source.ref",
    "provenance.resolvedDependencies.exists(d, d.digest.gitCommit == source.commit)",
    'signer.claims.runnerEnvironment == "github-hosted"',
    'signer.identity == source.repository + "/.github/workflows/release.yml@" + source.ref',
    'predicate.buildDefinition.internalParameters.github.event_name in ["push", "release"]',
    'predicateType == "https://slsa.dev/provenance/v1"',
    'artifact.name.endsWith(".tar.gz") && artifact.digest.startsWith("sha256:")',
    "!has(signer.claims.buildTrigger) && !has(provenance.finishedOn)",
    'timestamp("2026-01-01T00:00:00Z") - timestamp("2025-12-31T23:00:00Z") == duration("1h")',
    "cel.bind(w, provenance.externalParameters.workflow, w.ref == source.ref && size(w) == 3)",
  ];
  for (const expression of HOLDS) {
    test(expression, () => assert.equal(answerTo(expression, releaseFacts()), true));
  }
});

describe("mistakes are found when a rule is compiled", () => {
  const MISTAKES: readonly [expression: string, offset: number][] = [
    ['provenance.buildrId == "x"', 11],
    ["sourc.ref == 'x'", 0],
    ["source.ref == 1", 0],
    ["has(provenance.buildrId)", 15],
    ["true && has(signer.claims.runerEnvironment)", 26],
    ["source.ref ==", 13],
    ["source.ref", 0],
    ["predicate.flag", 0],
    ['"a', 0],
    ["nobody(1)", 0],
    // Banned: backtracking, the machine's time zone, lists as long as a text.
    ['source.ref.matches("(a+)+b")', 11],
    ['timestamp("2026-01-01T00:00:00Z").getHours() == 1', 34],
    ['source.ref.split("").size() > 1', 11],
    ['predicate.xs.exists(x, x.matches("a"))', 25],
    ["showEvaluator(true)", 0],
    [`${"(".repeat(40)}true${")".repeat(40)}`, 32],
    [`true${" || true".repeat(400)}`, 0],
    ["t".repeat(4_097), 4_096],
  ];
  for (const [expression, offset] of MISTAKES) {
    test(expression.slice(0, 60), () => {
      assert.throws(
        () => compileExpression(expression),
        (error) => error instanceof ExpressionError && error.offset === offset,
      );
    });
  }
});

describe("a misspelt name is told with what was meant", () => {
  const MEANT: readonly [expression: string, meant: string][] = [
    ["provenance.internalParams.cores == 2", "did you mean `internalParameters`?"],
    ["has(signer.claims.runerEnvironment)", "did you mean `runnerEnvironment`?"],
    ["provenence.builderId == 'x'", "did you mean `provenance`?"],
    [
      "whatever == 'x'",
      "known here: artifact, subjects, signer, source, provenance, predicateType, predicate",
    ],
    // A name that a macro binds is its own, whatever stands at the place of another mistake.
    ["[1].all(x, x + 'a' == 'b')", "no such overload: int + string"],
  ];
  for (const [expression, meant] of MEANT) {
    test(expression, () => {
      assert.throws(
        () => compileExpression(expression),
        (error) => error instanceof ExpressionError && error.message.endsWith(meant),
      );
    });
  }
});

describe("a rule without an answer fails", () => {
  const NO_ANSWER = [
    "source.ref == 'x' || signer.issuer == 'x'",
    "provenance.builderId != 'evil'",
    "predicate.missing != 'evil'",
    "predicate.list[9] != 1",
    "predicate.text > 3",
    "1 / 0 == 1",
    "predicate.list.all(x, x.field == 1)",
  ];
  const facts = factsAbout({ list: [1], text: "three" });
  for (const expression of NO_ANSWER) {
    test(expression, () => assert.equal(typeof answerTo(expression, facts), "object"));
  }

  test("members that JavaScript objects inherit are not there", () => {
    assert.equal(answerTo("has(predicate.constructor)", facts), false);
    assert.equal(answerTo('"__proto__" in predicate', facts), false);
    assert.equal(typeof answerTo("predicate.toString != 'x'", facts), "object");
  });
});

describe("hostile evidence makes no rule costly", { skip: UNLESS_LONG }, () => {
  const many = Array.from({ length: 50_000 }, (_, index) => index);
  const facts = factsAbout({
    many,
    objects: many.map((n) => ({ n })),
    text: "a".repeat(4_000_000),
    hours: `${"9".repeat(500_000)}h`,
  });

  // Each would take from minutes to for ever without a budget.
  const TOO_MUCH = [
    "predicate.many.all(x, predicate.many.all(y, x + y >= 0.0))",
    "predicate.objects.exists(x, predicate.objects.exists(y, x.none == y.none))",
    "predicate.many.all(x, !([x] == predicate.many) && predicate.many == predicate.many.map(y, y))",
    "predicate.many.all(x, !(-1.0 in predicate.many))",
    'predicate.many.all(x, !predicate.text.contains("b"))',
    "predicate.many.map(x, predicate) == predicate.many.map(x, predicate)",
    'duration(predicate.hours) > duration("1h")',
    "predicate.many.exists(x, predicate.many.exists(y, x.none == y)) || true",
    "cel.bind(a, predicate.text + predicate.text, cel.bind(b, a + a + a + a, cel.bind(c, b + b + b + b, size(c + c + c) > 0)))",
  ];
  for (const expression of TOO_MUCH) {
    test(expression, () => {
      const answer = answerTo(expression, facts);
      assert.ok(typeof answer === "object" && /steps/.test(answer.failure), JSON.stringify(answer));
      assert.deepEqual(answerTo(expression, facts), answer, "the same evidence gives the same answer");
    });
  }

  test("a single pass over all of it is answered", () => {
    assert.equal(answerTo("predicate.objects.all(o, o.n >= 0)", facts), true);
    assert.equal(answerTo("size(predicate.many) == 50000", facts), true);
  });

  test("a budget that is used up leaves none of it to the next rule", () => {
    const [costly = ""] = TOO_MUCH;
    answerTo(costly, facts);
    assert.equal(answerTo('signer.key == "scanner"', facts), true);
  });
});
