import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { openCorpus } from "./manifest.ts";
import { isGood, renderReport, runCorpus } from "./report.ts";

const CORPUS = new URL("../../../shared/corpus", import.meta.url).pathname;
const skip = existsSync(`${CORPUS}/MANIFEST.json`)
  ? false
  : "there is no ../shared/corpus beside this repository";

test("the corpus of real attestations is decided as it expects", { skip }, () => {
  const report = runCorpus(openCorpus(CORPUS), Date.now());
  assert.ok(report.run > 0, "no case of a supported format");
  assert.ok(isGood(report), renderReport(report));
});
