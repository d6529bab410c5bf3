import { alternatives, shown, shownList, signersText } from "./check-text.ts";
import type { Facts } from "./facts.ts";
import type { Glob } from "./glob.ts";
import { checkParameters } from "./parameters.ts";
import {
  type ArtifactSelector,
  type BuilderRule,
  demandsProvenance,
  type PolicySpec,
  type Rule,
  type SignerRule,
} from "./policy.ts";
import type { Check } from "./types.ts";

/** What a policy asked of one attestation. */
export interface Findings {
  readonly facts: Facts;
  readonly checks: readonly Check[];
  readonly passed: boolean;
  /** The highest level of the builders that the policy names and this evidence is believed to come from. */
  readonly slsaLevel: number;
}

/**
 * Asks everything that the policy asks of evidence. Rules run only over what a trusted signer signed: nobody
 * else's data is worth the work, and nobody else can make it costly.
 */
export function examine(spec: PolicySpec, facts: Facts, now: number): Findings {
  const signer = checkSigner(spec.signers, facts);
  const checks: Check[] = [
    signer,
    ...checkArtifact(spec.artifacts, facts),
    ...checkPredicateType(spec.predicateTypes, facts),
    ...checkAge(spec.maxAge, facts, now),
    ...checkProvenance(spec, facts),
    ...checkSource(spec, facts),
    ...spec.rules.map((rule) => checkRule(rule, facts, signer.passed)),
  ].map((check) => ({ ...check, attestation: facts.attestation }));
  return {
    facts,
    checks,
    passed: checks.every(({ passed }) => passed),
    slsaLevel: Math.max(0, ...believedBuilders(spec, facts).map(({ level }) => level)),
  };
}

function checkSigner(signers: readonly SignerRule[], facts: Facts): Check {
  return {
    check: "signer",
    passed: signers.some((signer) => isSignedBy(signer, facts)),
    expected: signersText(signers),
    actual: signerText(facts),
  };
}

export function isSignedBy(rule: SignerRule, { signer }: Facts): boolean {
  if (rule.case === "key") return signer.key === rule.name;
  if (signer.issuer === undefined || signer.identity === undefined) return false;
  return rule.issuer.matches(signer.issuer) && rule.identity.matches(signer.identity);
}

function signerText({ signer }: Facts): string {
  return signer.key === undefined
    ? `${shown(signer.identity)} under ${shown(signer.issuer)}`
    : `key ${shown(signer.key)}`;
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
  const check = matchCheck("artifact.name", names, name);
  return check.passed ? { ...check, actual: "a name that matches" } : check;
}

function checkPredicateType(predicateTypes: readonly Glob[] | undefined, facts: Facts): Check[] {
  return predicateTypes === undefined
    ? []
    : [matchCheck("predicateType", predicateTypes, facts.predicateType)];
}

function checkAge(maxAge: number | undefined, { signedAt }: Facts, now: number): Check[] {
  if (maxAge === undefined) return [];
  return [
    {
      check: "maxAge",
      passed: signedAt !== undefined && now < signedAt + maxAge,
      expected: `signed at most ${maxAge / 3_600_000} hours ago`,
      actual: signedAt === undefined ? "no trusted time" : `signed ${new Date(signedAt).toISOString()}`,
    },
  ];
}

function checkProvenance(spec: PolicySpec, facts: Facts): Check[] {
  if (!demandsProvenance(spec)) return [];
  const { provenance } = facts;
  if (provenance === undefined) {
    const actual = shown(facts.predicateType);
    return [{ check: "provenance", passed: false, expected: "readable SLSA provenance", actual }];
  }
  return [
    ...(spec.builders === undefined ? [] : [checkBuilder(spec, spec.builders, facts, provenance.builderId)]),
    ...(spec.buildTypes === undefined
      ? []
      : [matchCheck("buildType", spec.buildTypes, provenance.buildType)]),
    ...checkParameters(spec.externalParameters, provenance.externalParameters),
  ];
}

function checkBuilder(
  spec: PolicySpec,
  builders: readonly BuilderRule[],
  facts: Facts,
  builderId: string,
): Check {
  const named = builders.some(({ id }) => id.matches(builderId));
  const passed = believedBuilders(spec, facts).length > 0;
  const speaker =
    named && !passed ? ` as ${signerText(facts)} has it, who may not speak for this builder` : "";
  return {
    check: "builder",
    passed,
    expected: alternatives(builders.map(({ id }) => id)),
    actual: `${shown(builderId)}${speaker}`,
  };
}

/** A builder id is a claim: it counts only from a signer that the policy maps to that builder. */
function believedBuilders(spec: PolicySpec, facts: Facts): BuilderRule[] {
  const builderId = facts.provenance?.builderId;
  if (spec.builders === undefined || builderId === undefined) return [];
  return spec.builders.filter(
    ({ id, signers }) =>
      id.matches(builderId) && (signers ?? spec.signers).some((signer) => isSignedBy(signer, facts)),
  );
}

function checkSource({ source }: PolicySpec, facts: Facts): Check[] {
  const { repositories, refs } = source ?? {};
  return [
    ...(repositories === undefined
      ? []
      : [matchCheck("source.repository", repositories, facts.source.repository)]),
    ...(refs === undefined ? [] : [matchCheck("source.ref", refs, facts.source.ref)]),
    {
      check: "source.agreement",
      passed: facts.contradictions.length === 0,
      expected: "provenance and certificate name one source",
      actual: facts.contradictions.length === 0 ? "no contradiction" : shownList(facts.contradictions),
    },
  ];
}

function checkRule(rule: Rule, facts: Facts, trusted: boolean): Check {
  const check = `rule:${rule.name}`;
  const expected = rule.message ?? rule.expression;
  if (!trusted) return { check, passed: false, expected, actual: "not evaluated: the signer is not trusted" };
  const answer = rule.holds(facts);
  const actual = typeof answer === "boolean" ? String(answer) : `no answer: ${shown(answer.failure)}`;
  return { check, passed: answer === true, expected, actual };
}

function matchCheck(check: string, globs: readonly Glob[], actual: string | undefined): Check {
  return {
    check,
    passed: actual !== undefined && globs.some((glob) => glob.matches(actual)),
    expected: alternatives(globs),
    actual: actual === "" ? "no name" : shown(actual),
  };
}
