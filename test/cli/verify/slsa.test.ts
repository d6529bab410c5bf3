/**
 * slsa-verifier's own cases by slsa-verifier's own options: the same are verified and the same refused, but for those that
 * are listed here with the reason. All of them where VOUCHSAFE_LONG=1 asks for it, else one in six.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { UsageError } from "../../../src/cli/usage-error.ts";
import type { VerifyOptions } from "../../../src/cli/verify/offline.ts";
import { type Case, openCorpus } from "../../corpus/manifest.ts";
import { IS_LONG } from "../../support/long.ts";
import { type OfflineHouse, openOfflineHouse, tell } from "../offline.ts";

const CORPUS = new URL("../../../../shared/corpus", import.meta.url).pathname;
const skip = existsSync(`${CORPUS}/MANIFEST.json`) ? false : "../shared/corpus is not here";

/** Ends of the cases' ids → what comes out here, and why. */
const DIFFERENT: readonly (readonly [RegExp, "verified" | "rejected", string])[] = [
  [
    /^slsa\/delegator\/v1\.9\.0\/push-v[\d.]+$/,
    "rejected",
    "the delegator is at its branch main: slsa-verifier takes it in its own tests alone",
  ],
  [
    /\/invalid-signature-publish-/,
    "verified",
    "of the two attestations the provenance is asked for, and holds",
  ],
  [
    /npm-OSSF-builder-no-builder$/,
    "verified",
    "without --builder-id the generator's builders are known, for npm too",
  ],
];

describe("slsa-verifier's cases by its options", { skip }, () => {
  let house: OfflineHouse;
  before(async () => {
    house = await openOfflineHouse();
  });
  after(() => house.close());

  const cases = skip ? [] : openCorpus(CORPUS).cases.filter(isSlsas);
  const chosen = IS_LONG ? cases : cases.filter((_, i) => i % 6 === 0);
  for (const one of chosen) {
    const [, otherwise, why] = DIFFERENT.find(([id]) => id.test(one.id)) ?? [];
    const expected = otherwise ?? one.expected;
    test(`${one.id}: ${expected}${why === undefined ? "" : `, since ${why}`}`, async () => {
      assert.equal(await outcomeOf(one, house), expected);
    });
  }
});

function isSlsas({ id, policy }: Case): boolean {
  return id.startsWith("slsa/") && policy?.sourceUri !== undefined;
}

async function outcomeOf(one: Case, house: OfflineHouse): Promise<"verified" | "rejected"> {
  const { format, artifactDigest = {} } = one;
  const algorithm = format.startsWith("npm") ? "sha512" : "sha256";
  try {
    const told = await tell(`${algorithm}:${artifactDigest[algorithm]}`, await optionsOf(one, house));
    return told.failed === undefined ? "verified" : "rejected";
  } catch (error) {
    // What it takes for no builder at all is no better.
    if (error instanceof UsageError) return "rejected";
    throw error;
  }
}

async function optionsOf(
  { id, format, files, policy = {} }: Case,
  house: OfflineHouse,
): Promise<VerifyOptions> {
  const { issuer: _, predicateType, workflowInputs, ...asked } = policy;
  const given = {
    ...asked,
    trustedRoot: [`${CORPUS}/${files.trustedRoot}`],
    ...(predicateType !== undefined && { predicateType: [predicateType] }),
    ...(workflowInputs !== undefined && {
      buildWorkflowInput: Object.entries(workflowInputs).map(([key, value]) => `${key}=${value}`),
    }),
  };
  if (!format.startsWith("oci")) return { ...given, bundle: [`${CORPUS}/${files.bundle}`] };
  const { layer } = JSON.parse(readFileSync(`${CORPUS}/${files.bundle}`, "utf8"));
  const ociManifest = await house.write(`${id.replaceAll("/", "-")}.json`, layer);
  return { ...given, bundle: [`${CORPUS}/${files.envelope}`], ociManifest };
}
