import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { before, test } from "node:test";
import { verifyEvidence } from "../../src/verify/verify-evidence.ts";
import { trustOf } from "./case-trust.ts";
import { openCorpus } from "./manifest.ts";
import { isGood, type Report, renderReport, runCorpus } from "./report.ts";
import { runCase } from "./run-case.ts";

const CORPUS = new URL("../../../shared/corpus", import.meta.url).pathname;
const skip = existsSync(`${CORPUS}/MANIFEST.json`)
  ? false
  : "there is no ../shared/corpus beside this repository";

let report: Report;
before(async () => {
  if (skip === false) report = await runCorpus(openCorpus(CORPUS), Date.now());
});

test("the corpus of real attestations is decided as it expects", { skip }, () => {
  assert.ok(report.run > 0, "no case of a supported format");
  assert.ok(isGood(report), renderReport(report));
});

test("every case on which implementations differ is decided, and a change of mind shows", {
  skip,
}, () => {
  const { ambiguous } = report;
  assert.deepEqual(
    ambiguous.filter(({ decided }) => decided === undefined).map(({ test }) => test.id),
    [],
  );
  const [first] = ambiguous;
  assert.ok(first);
  const other = first.outcome.verdict === "verified" ? "rejected" : "verified";
  assert.ok(!isGood({ ...report, ambiguous: [{ ...first, decided: other }] }));
});

test("a signed payload that is no Statement is an envelope that verifies, and evidence of nothing", {
  skip,
}, async () => {
  const { corpus, test: policy } = find("archivista/policy");
  assert.equal((await runCase(policy, corpus, Date.now())).verdict, "verified");
  assert.throws(() => verifyEvidence(corpus.read(policy.files.bundle), trustOf(policy, corpus), Date.now()), {
    code: "malformed-statement",
  });
});

function find(id: string) {
  const corpus = openCorpus(CORPUS);
  const found = corpus.cases.find((one) => one.id === id);
  assert.ok(found, `the corpus has no ${id}`);
  return { corpus, test: found };
}
