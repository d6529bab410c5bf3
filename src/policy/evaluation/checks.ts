import type { Provenance } from "../../in-toto-attestation/index.ts";
import type { Budget } from "../cel/meter.ts";
import type { Facts, Source } from "../facts.ts";
import type { Glob } from "../glob.ts";
import {
  type ArtifactSelector,
  demandsProvenance,
  type PolicySpec,
  type Requirement,
  type Rule,
  type SignerRule,
  type ThresholdRule,
} from "../policy.ts";
import type { Check } from "../types.ts";
import { type JudgedBuilder, judgeBuilders } from "./builder-check.ts";
import {
  answerText,
  checkMatch,
  foundSigner,
  NOT_EVALUATED,
  shown,
  shownList,
  signersText,
} from "./check-text.ts";
import { checkDependencies } from "./dependencies.ts";
import { checkParameters } from "./parameters.ts";
import { isSignedBy } from "./signed-by.ts";
import { checkAgreement, checkSource } from "./source-check.ts";
import { checkSummary, summaryLevel } from "./summary.ts";

/** When a policy asks, and what its rules may still spend. */
export interface Asking {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly whole: Budget;
}

/** What a policy asked of one attestation. */
export interface Findings {
  readonly facts: Facts;
  readonly checks: readonly Check[];
  readonly passed: boolean;
  /** Whether one signed it who may. */
  readonly isTrusted: boolean;
  /** The highest build level that the policy believes of it: by its builders, or by a verifier's word. */
  readonly slsaLevel: number;
  /** When it ceases to count, in milliseconds since the epoch; absent: never. */
  readonly expires?: number;
}

/**
 * Asks everything that the policy's own sections ask of evidence. Rules run only over what a trusted signer signed: nobody
 * else's data is worth the work, and nobody else can make it costly.
 */
export function examine(spec: PolicySpec, facts: Facts, { now, whole }: Asking): Findings {
  const signer = checkSigner(spec.signers, facts);
  const builder = judgeBuilders(spec, facts, signer.passed, whole);
  const checks: Check[] = [
    signer,
    ...checkArtifact(spec.artifacts, facts),
    ...checkPredicateType(spec.predicateTypes, facts),
    ...checkAge(spec.maxAge, facts, now),
    ...checkThresholds(spec.thresholds, facts),
    ...checkProvenance(spec, facts, builder, signer.passed),
    ...checkSource(spec.source, facts),
    ...checkSummary(spec.vsa, facts, now),
    ...spec.rules.map((rule) => checkRule(rule, facts, signer.passed, whole)),
  ];
  const slsaLevel = Math.max(summaryLevel(spec.vsa), builder.level);
  return findings(facts, checks, { isTrusted: signer.passed, slsaLevel }, spec.maxAge);
}

/**
 * Asks what a requirement asks of evidence of its kind; the checks are named `evidence.NAME.…`.
 *
 * @param builtFrom what the artifact was built from, where the evidence is about that
 */
export function examineRequired(
  requirement: Requirement,
  facts: Facts,
  { now, whole }: Asking,
  builtFrom?: Source,
): Findings {
  const { name, signers, maxAge, vsa, rules } = requirement;
  const signer = checkSigner(signers, facts);
  const checks: Check[] = [
    signer,
    ...checkAge(maxAge, facts, now),
    ...(facts.provenance === undefined ? [] : checkAgreement(facts)),
    ...checkSummary(vsa, facts, now, builtFrom),
    ...rules.map((rule) => checkRule(rule, facts, signer.passed, whole)),
  ];
  const named = checks.map((check) => ({ ...check, check: `evidence.${name}.${check.check}` }));
  return findings(facts, named, { isTrusted: signer.passed, slsaLevel: 0 }, maxAge);
}

function findings(
  facts: Facts,
  checks: Check[],
  judged: Pick<Findings, "isTrusted" | "slsaLevel">,
  maxAge: number | undefined,
): Findings {
  const { attestation, signedAt, summary } = facts;
  const ends = [
    ...(maxAge === undefined || signedAt === undefined ? [] : [signedAt + maxAge]),
    ...(summary?.validUntil === undefined ? [] : [summary.validUntil]),
  ];
  return {
    facts,
    checks: checks.map((check) => ({ ...check, attestation })),
    passed: checks.every(({ passed }) => passed),
    ...judged,
    ...(ends.length > 0 && { expires: Math.min(...ends) }),
  };
}

function checkSigner(signers: readonly SignerRule[], facts: Facts): Check {
  return {
    check: "signer",
    passed: signers.some((signer) => isSignedBy(signer, facts)),
    expected: signersText(signers),
    actual: foundSigner(signers, facts),
  };
}

function checkArtifact({ names, digests }: ArtifactSelector, { artifact }: Facts): Check[] {
  return [
    ...(names === undefined ? [] : [checkName(names, artifact.name ?? "")]),
    ...(digests === undefined
      ? []
      : [
          {
            check: "artifact.digest",
            passed: digests.includes(artifact.digest),
            expected: shownList(digests),
            actual: artifact.digest,
          },
        ]),
  ];
}

/** What passes says nothing of the name itself, so that the artifacts of one release share one verdict. */
function checkName(names: readonly Glob[], name: string): Check {
  const check = checkMatch("artifact.name", names, name);
  return check.passed ? { ...check, actual: "a name that matches" } : check;
}

function checkPredicateType(predicateTypes: readonly Glob[] | undefined, facts: Facts): Check[] {
  return predicateTypes === undefined
    ? []
    : [checkMatch("predicateType", predicateTypes, facts.predicateType)];
}

function checkAge(maxAge: number | undefined, { signedAt }: Facts, now: number): Check[] {
  if (maxAge === undefined) return [];
  return [
    {
      check: "maxAge",
      passed: isYoung(maxAge, { signedAt }, now),
      expected: `signed at most ${maxAge / 3_600_000} hours ago`,
      actual: signedAt === undefined ? "no trusted time" : `signed ${new Date(signedAt).toISOString()}`,
    },
  ];
}

/** Evidence without a trusted time is of no age, and so of none that is low enough. */
export function isYoung(
  maxAge: number | undefined,
  { signedAt }: { signedAt?: number | undefined },
  now: number,
): boolean {
  return maxAge === undefined || (signedAt !== undefined && now < signedAt + maxAge);
}

const WITNESSES = { logEntries: "logs", timestamps: "sources of time", scts: "certificate logs" } as const;

function checkThresholds(thresholds: ThresholdRule | undefined, { witnesses }: Facts): Check[] {
  return (["logEntries", "timestamps", "scts"] as const).flatMap((name) => {
    const least = thresholds?.[name];
    if (least === undefined) return [];
    const found = witnesses[name];
    return [
      {
        check: `thresholds.${name}`,
        passed: found >= least,
        expected: `${WITNESSES[name]} of at least ${least} operators`,
        actual: `of ${found}`,
      },
    ];
  });
}

function checkProvenance(
  spec: PolicySpec,
  facts: Facts,
  builder: JudgedBuilder,
  isTrusted: boolean,
): Check[] {
  if (!demandsProvenance(spec)) return [];
  const { provenance } = facts;
  if (provenance === undefined) {
    const actual = shown(facts.predicateType);
    return [{ check: "provenance", passed: false, expected: "readable SLSA provenance", actual }];
  }
  return [
    ...builder.checks,
    ...(spec.buildTypes === undefined
      ? []
      : [checkMatch("buildType", spec.buildTypes, provenance.buildType)]),
    ...askDependencies(spec, provenance, isTrusted),
    ...checkParameters(spec.externalParameters, provenance.externalParameters, isTrusted),
  ];
}

/** As with rules: there are many of them, and what they are called can be long. */
function askDependencies(
  { resolvedDependencies: rules }: PolicySpec,
  { resolvedDependencies }: Provenance,
  isTrusted: boolean,
): Check[] {
  if (rules === undefined) return [];
  if (isTrusted) return checkDependencies(rules, resolvedDependencies);
  const expected = "what a trusted signer says that the build took in";
  return [{ check: "resolvedDependencies", passed: false, expected, actual: NOT_EVALUATED }];
}

function checkRule(rule: Rule, facts: Facts, trusted: boolean, whole: Budget): Check {
  const check = `rule:${rule.name}`;
  const expected = rule.message ?? rule.expression;
  if (!trusted) return { check, passed: false, expected, actual: NOT_EVALUATED };
  const answer = rule.holds(facts, whole);
  return { check, passed: answer === true, expected, actual: answerText(answer) };
}
