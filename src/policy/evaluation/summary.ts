import { unmetDemands, type VerificationSummary } from "../../in-toto-attestation/index.ts";
import type { Facts, Source } from "../facts.ts";
import type { SummaryRule } from "../policy.ts";
import type { Check } from "../types.ts";
import { alternatives, checkMatch, shown, shownList } from "./check-text.ts";

/**
 * What a verification summary must say (slsa.dev/spec/v1.2/verification_summary, "How to verify"): it is of a verifier
 * and about a resource that the policy names, and that verifier passed it at each of the levels. That it is about the
 * artifact, and who signed it, is asked of it as of any evidence.
 */
export function checkSummary(
  rule: SummaryRule | undefined,
  { summary, predicateType, sourceRefs }: Facts,
  now: number,
  builtFrom?: Source,
): Check[] {
  if (rule === undefined) return checkEnd(summary, now);
  if (summary === undefined) {
    return [
      {
        check: "vsa",
        passed: false,
        expected: "a readable verification summary",
        actual: shown(predicateType),
      },
    ];
  }
  return [
    checkMatch("vsa.verifier", rule.verifierIds, summary.verifierId),
    checkMatch("vsa.resourceUri", rule.resourceUris, summary.resourceUri),
    {
      check: "vsa.result",
      passed: summary.verificationResult === "PASSED",
      expected: "PASSED",
      actual: summary.verificationResult,
    },
    ...checkLevels(rule.levels, summary),
    ...(builtFrom === undefined ? [] : checkSourceRefs(rule.sourceRefs, sourceRefs, builtFrom)),
    ...checkEnd(summary, now),
  ];
}

/** What its verifier signed for a time counts for that time, whether the policy asks about summaries or not. */
function checkEnd(summary: VerificationSummary | undefined, now: number): Check[] {
  const { validUntil } = summary ?? {};
  if (validUntil === undefined) return [];
  const end = new Date(validUntil).toISOString();
  const passed = now < validUntil;
  return [
    {
      check: "vsa.validUntil",
      passed,
      expected: "a summary that has not ended",
      actual: passed ? `it ends ${end}` : `it ended ${end}`,
    },
  ];
}

function checkLevels(levels: readonly string[] | undefined, summary: VerificationSummary): Check[] {
  if (levels === undefined) return [];
  const { verifierId, resourceUri, verifiedLevels } = summary;
  const unmet = unmetDemands(summary, { verifierId, resourceUri, verifiedLevels: levels });
  return [
    {
      check: "vsa.levels",
      passed: unmet.every(({ demand }) => demand !== "verifiedLevels"),
      expected: levels.join(" and "),
      actual: shownList(verifiedLevels),
    },
  ];
}

/**
 * That the revision was good as what was built: with other references others may decide what goes into it
 * (slsa.dev/spec/v1.2/verifying-source, "Check Expectations").
 */
function checkSourceRefs(
  wanted: SummaryRule["sourceRefs"],
  named: Facts["sourceRefs"],
  { ref }: Source,
): Check[] {
  if (wanted === undefined && named === undefined) return [];
  const isWanted = (name: string) => wanted?.some((glob) => glob.matches(name)) ?? name === ref;
  return [
    {
      check: "vsa.sourceRefs",
      passed: named?.some(isWanted) ?? false,
      expected: wanted === undefined ? shown(ref) : alternatives(wanted),
      actual: shownList(named ?? []),
    },
  ];
}

/** The build level that the policy takes the verifier's word for: what it asks for, and not what else was claimed. */
export function summaryLevel(rule: SummaryRule | undefined): number {
  const levels = rule?.levels?.flatMap((level) => /^SLSA_BUILD_LEVEL_([0-4])$/.exec(level)?.[1] ?? []) ?? [];
  return Math.max(0, ...levels.map(Number));
}
