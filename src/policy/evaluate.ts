import { algorithmOf, type Digest, groundsAllow } from "../in-toto-attestation/index.ts";
import { assertVerified } from "../verify/verified-attestation.ts";
import { examine } from "./checks.ts";
import { type Choice, choose } from "./choice.ts";
import { type Facts, factsOf, type Sayings } from "./facts.ts";
import { bestFirst, failedFirst, nearestMisses } from "./nearest.ts";
import type { ArtifactSelector, VerificationPolicy } from "./policy.ts";
import type { Question } from "./question.ts";
import { countCheck, gather } from "./required.ts";
import type { Check, Evaluation } from "./types.ts";

/** How many attestations' checks a failed evaluation lists; the others are farther from passing. */
const MISSES_LISTED = 5;

/**
 * What the policy says of an artifact on this evidence at `now` (milliseconds since the epoch). Deny by default:
 * it passes when one attestation passes every check, each further requirement has its evidence, and the joins are true
 * of them together. The same evidence in another order gives the same answer.
 */
export function evaluate(policy: VerificationPolicy, question: Question, now: number): Evaluation {
  const { evidence, others } = question;
  for (const attestation of [evidence, ...others.values()].flat()) assertVerified(attestation);
  return evaluateStated(policy, question, now);
}

/**
 * The same of what evidence would say, whether or not anybody verified it: for tests of policies, which state it. For
 * `policy/` alone; the import arrows refuse it elsewhere.
 */
export function evaluateStated(
  policy: VerificationPolicy,
  { artifact, evidence }: Question<Sayings>,
  now: number,
): Evaluation {
  if (!groundsAllow(artifact)) return failed([weakDigest(artifact)]);
  const { spec } = policy;
  const facts = evidence.flatMap((attestation) => {
    const read = factsOf(attestation, artifact, (name) => nameMatches(spec.artifacts, name));
    return read === undefined ? [] : [read];
  });
  if (facts.length === 0) return failed([noEvidence(artifact, evidence.length)]);
  const current = newest(facts);
  const findings = current.map((one) => examine(spec, one, now));
  const mains = findings.filter(({ passed }) => passed).sort(bestFirst);
  const required = spec.evidence.map((requirement) => gather(requirement, current, now));
  const isThere = required.every(({ met }) => met);
  const choice = isThere ? choose(spec.joins, mains, required) : undefined;
  if (choice === undefined) {
    return failed([
      ...(mains.length === 0 ? nearestMisses(findings, MISSES_LISTED) : []),
      ...required.flatMap(({ misses }) => misses),
      ...mains.slice(0, 1).flatMap(({ checks }) => checks),
    ]);
  }
  const allHold = choice.joins.every(({ passed }) => passed);
  return allHold ? passedBy(choice) : failed([...failedFirst(choice.joins), ...checksBefore(choice)]);
}

function passedBy(choice: Choice): Evaluation {
  const used = [choice.main, ...choice.required.flatMap(({ chosen }) => chosen)];
  const ends = used.flatMap(({ expires }) => expires ?? []);
  return {
    outcome: "passed",
    slsaLevel: choice.main.slsaLevel,
    checks: [...checksBefore(choice), ...choice.joins],
    attestations: [...new Set(used.map(({ facts }) => facts.attestation))],
    restsOn: [],
    ...(ends.length > 0 && { validUntil: Math.min(...ends) }),
  };
}

/** What passed before the joins were asked. */
function checksBefore({ main, required }: Choice): Check[] {
  return [
    ...main.checks,
    ...required.flatMap(({ gathered: { requirement }, chosen }) => [
      countCheck(requirement, chosen, chosen.length),
      ...chosen.flatMap(({ checks }) => checks),
    ]),
  ];
}

/**
 * Whether the policy's `artifacts` select this one. What it is called is what evidence calls it, from anybody: that
 * decides only what is evaluated. A pass needs the name from a signer that the policy trusts.
 */
export function appliesTo(
  { spec: { artifacts } }: VerificationPolicy,
  { artifact, evidence }: Pick<Question<Sayings>, "artifact" | "evidence">,
): boolean {
  if (artifacts.digests !== undefined && !artifacts.digests.includes(artifact)) return false;
  return ["", ...namesOf(artifact, evidence)].some((name) => nameMatches(artifacts, name));
}

function namesOf(artifact: Digest, evidence: readonly Sayings[]): string[] {
  return evidence.flatMap(({ subjects }) =>
    subjects.flatMap(({ name, digests }) => (name && digests.includes(artifact) ? [name] : [])),
  );
}

function nameMatches({ names }: ArtifactSelector, name: string): boolean {
  return names === undefined || names.some((glob) => glob.matches(name));
}

/**
 * Of what one signer says in one predicate type of one source, only the newest counts: an older passing scan does
 * not hide a newer failing one. The source is part of it because a shared workflow signs for everybody's
 * repositories, and a stranger's build must not displace the owner's. Evidence without a trusted time is neither
 * older nor newer than other evidence.
 */
function newest(all: readonly Facts[]): Facts[] {
  const latest = new Map<string, number>();
  for (const facts of all) {
    const key = seriesOf(facts);
    latest.set(key, Math.max(facts.signedAt ?? 0, latest.get(key) ?? 0));
  }
  return all.filter(
    (facts) => facts.signedAt === undefined || facts.signedAt === latest.get(seriesOf(facts)),
  );
}

function seriesOf({ predicateType, signer, source }: Facts): string {
  const { issuer, identity, key } = signer;
  return JSON.stringify([
    predicateType,
    issuer,
    identity,
    key,
    signer.claims.sourceRepositoryUri ?? source.repository,
  ]);
}

function failed(checks: readonly Check[]): Evaluation {
  return { outcome: "failed", slsaLevel: 0, checks, attestations: [], restsOn: [] };
}

function weakDigest(artifact: Digest): Check {
  return {
    check: "artifact.algorithm",
    passed: false,
    expected: "sha256, sha384 or sha512",
    actual: algorithmOf(artifact),
  };
}

function noEvidence(artifact: Digest, others: number): Check {
  return {
    check: "evidence",
    passed: false,
    expected: `an attestation about ${artifact}`,
    actual: others === 0 ? "none" : `none; ${others} about other artifacts`,
  };
}
