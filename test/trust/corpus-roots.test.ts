import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { createTrust } from "../../src/trust/snapshot.ts";
import { openCorpus } from "../corpus/manifest.ts";

const CORPUS = new URL("../../../shared/corpus", import.meta.url).pathname;
const skip = existsSync(`${CORPUS}/MANIFEST.json`)
  ? false
  : "there is no ../shared/corpus beside this repository";
const REAL = ["public-good", "staging", "github"].map((name) => `_trust/${name}.trusted_root.json`);
const MALFORMED = /trust-root-tlog-missing-validity-start/;

test("every trusted root of the corpus loads, but the one that is malformed on purpose", { skip }, () => {
  const corpus = openCorpus(CORPUS);
  const named = corpus.cases.flatMap(({ files }) => files.trustedRoot ?? []);
  const refused = [...new Set([...named, ...REAL])].filter((path) => {
    const trustedRoot = JSON.parse(corpus.read(path).toString());
    try {
      createTrust({ sigstore: [{ name: "root", trustedRoot }], keys: [] });
      return false;
    } catch (error) {
      assert.ok(error instanceof VouchsafeError, `${path}: ${error}`);
      return true;
    }
  });
  assert.equal(refused.length, 1);
  assert.match(refused[0] ?? "", MALFORMED);
});
