import { algorithmOf, type Digest, groundsAllow } from "../in-toto-attestation/index.ts";
import { assertVerified, type VerifiedAttestation } from "../verify/verified-attestation.ts";
import { examine, type Findings } from "./checks.ts";
import { type Facts, factsOf } from "./facts.ts";
import type { ArtifactSelector, VerificationPolicy } from "./policy.ts";
import type { Check, Evaluation } from "./types.ts";

/** How many attestations' checks a failed evaluation lists; the others are farther from passing. */
const MISSES_LISTED = 5;

/**
 * What the policy says of an artifact on this evidence at `now` (milliseconds since the epoch). Deny by default:
 * it passes when one attestation passes every check. The same evidence in another order gives the same answer.
 */
export function evaluate(
  policy: VerificationPolicy,
  artifact: Digest,
  evidence: readonly VerifiedAttestation[],
  now: number,
): Evaluation {
  for (const attestation of evidence) assertVerified(attestation);
  if (!groundsAllow(artifact)) return failed([weakDigest(artifact)]);
  const { spec } = policy;
  const facts = evidence.flatMap((attestation) => {
    const read = factsOf(attestation, artifact, (name) => nameMatches(spec.artifacts, name));
    return read === undefined ? [] : [read];
  });
  if (facts.length === 0) return failed([noEvidence(artifact, evidence.length)]);
  const findings = newest(facts).map((current) => examine(spec, current, now));
  const [best] = findings.filter(({ passed }) => passed).sort(bestFirst);
  if (best === undefined) return failed(nearestMisses(findings));
  const validUntil = expiry(best, spec.maxAge);
  return {
    outcome: "passed",
    slsaLevel: best.slsaLevel,
    checks: best.checks,
    attestations: [best.facts.attestation],
    ...(validUntil !== undefined && { validUntil }),
  };
}

/**
 * Whether the policy's `artifacts` select this one. `subjectNames` are what evidence calls it, from anybody: they
 * decide only what is evaluated. A pass needs the name from a signer that the policy trusts.
 */
export function appliesTo(
  policy: VerificationPolicy,
  artifact: Digest,
  subjectNames: readonly string[],
): boolean {
  const { artifacts } = policy.spec;
  if (artifacts.digests !== undefined && !artifacts.digests.includes(artifact)) return false;
  return ["", ...subjectNames].some((name) => nameMatches(artifacts, name));
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

function bestFirst(a: Findings, b: Findings): number {
  return b.slsaLevel - a.slsaLevel || newerFirst(a, b);
}

/** What a trusted signer signed comes first: nobody else can crowd it out of the list. */
function nearestFirst(a: Findings, b: Findings): number {
  return strangers(a) - strangers(b) || failures(a) - failures(b) || newerFirst(a, b);
}

function newerFirst(a: Findings, b: Findings): number {
  const [first, second] = [a.facts, b.facts];
  return (second.signedAt ?? 0) - (first.signedAt ?? 0) || (first.attestation < second.attestation ? -1 : 1);
}

function strangers({ checks }: Findings): number {
  return checks.some(({ check, passed }) => check === "signer" && !passed) ? 1 : 0;
}

function failures({ checks }: Findings): number {
  return checks.filter(({ passed }) => !passed).length;
}

function nearestMisses(findings: readonly Findings[]): Check[] {
  const nearest = findings.toSorted(nearestFirst).slice(0, MISSES_LISTED);
  return nearest.flatMap(({ checks }) => [
    ...checks.filter(({ passed }) => !passed),
    ...checks.filter(({ passed }) => passed),
  ]);
}

function expiry({ facts }: Findings, maxAge: number | undefined): number | undefined {
  return maxAge === undefined || facts.signedAt === undefined ? undefined : facts.signedAt + maxAge;
}

function failed(checks: readonly Check[]): Evaluation {
  return { outcome: "failed", slsaLevel: 0, checks, attestations: [] };
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
