import { CONTAINMENT_PREDICATE_TYPE, type Digest } from "../../in-toto-attestation/index.ts";
import type { Facts, Sayings, Source } from "../facts.ts";
import { asksAboutSource, type PolicySpec, type VerificationPolicy } from "../policy.ts";
import type { Asked } from "../question.ts";
import type { Check, Evaluation } from "../types.ts";
import { actorsOf } from "./actors.ts";
import { APPROVAL_PREDICATE_TYPE } from "./approval-statement.ts";
import { type Asking, examine } from "./checks.ts";
import { type Candidate, type Choice, choose } from "./choice.ts";
import { bestFirst, failedFirst, nearestMisses } from "./nearest.ts";
import { countCheck, type Gathered, gather } from "./required.ts";
import { factsAbout, factsOfRevision, otherDigests, revisionsOf } from "./revisions.ts";

/** How many attestations' checks a failed evaluation lists; the others are farther from passing. */
const MISSES_LISTED = 5;
/** Of how many passing attestations the sources are asked about. */
const MAX_SOURCES = 64;

/** Statements that have a meaning of their own, and are no evidence that anything was built or looked at. */
const READ_ELSEWHERE: ReadonlySet<string> = new Set([APPROVAL_PREDICATE_TYPE, CONTAINMENT_PREDICATE_TYPE]);

/** What the policy says of one artifact on the evidence about it, and about what it was built from. */
export function judge(
  { spec }: VerificationPolicy,
  artifact: Digest,
  { evidence, others }: Pick<Asked<Sayings>, "evidence" | "others">,
  asking: Asking,
): Evaluation {
  const current = factsAbout(spec, artifact, evidence).filter(
    ({ predicateType = "" }) => !READ_ELSEWHERE.has(predicateType),
  );
  if (current.length === 0) return failed([noEvidence(artifact, evidence.length)]);
  const findings = current.map((one) => examine(spec, one, asking));
  const mains = findings.filter(({ passed }) => passed).sort(bestFirst);
  const { ofArtifact, besides } = gathering(spec, current, others, asking);
  const candidates = mains
    .slice(0, asksAboutSource(spec) ? MAX_SOURCES : undefined)
    .map((main) => ({ main, required: besides(main.facts.source) }));
  const revisions = asksAboutSource(spec) ? candidates.map(({ main }) => main) : [];
  const restsOn = revisionsOf(revisions.map(({ facts }) => facts));
  const complete = candidates.filter(({ required }) => required.every(({ met }) => met));
  const choice = choose(spec.joins, complete, asking.whole);
  if (choice === undefined) {
    const nearest = nearestOf(candidates);
    const { required } = nearest ?? { required: ofArtifact };
    return failed(
      [
        ...(nearest === undefined ? nearestMisses(findings, MISSES_LISTED) : []),
        ...required.flatMap(({ misses }) => misses),
        ...(nearest?.main.checks ?? []),
      ],
      restsOn,
    );
  }
  if (choice.joins.every(({ passed }) => passed))
    return passedBy(spec, choice, otherDigests(spec, artifact, evidence));
  return failed([...failedFirst(choice.joins), ...checksBefore(choice)], restsOn);
}

/** What requirements find: of those on the artifact once, of those on its source for each source. */
function gathering(
  { evidence: requirements }: PolicySpec,
  current: readonly Facts[],
  others: Asked<Sayings>["others"],
  asking: Asking,
): { ofArtifact: readonly Gathered[]; besides(source: Source): readonly Gathered[] } {
  const own = new Map(
    requirements.filter(({ about }) => about !== "source").map((one) => [one, gather(one, current, asking)]),
  );
  const bySource = new Map<string, readonly Gathered[]>();
  return {
    ofArtifact: [...own.values()],
    besides: (source) => {
      const key = JSON.stringify([source.commit, source.ref]);
      const known = bySource.get(key);
      if (known !== undefined) return known;
      const revision = factsOfRevision(source, others);
      const found = requirements.map((one) => own.get(one) ?? gather(one, revision, asking, source));
      bySource.set(key, found);
      return found;
    },
  };
}

/** The best of those that lack least. */
function nearestOf(candidates: readonly Candidate[]): Candidate | undefined {
  const lacks = ({ required }: Candidate) => required.filter(({ met }) => !met).length;
  return candidates.toSorted((a, b) => lacks(a) - lacks(b))[0];
}

function passedBy(spec: PolicySpec, choice: Choice, otherDigests: readonly Digest[]): Evaluation {
  const used = [choice.main, ...choice.required.flatMap(({ chosen }) => chosen)];
  const ends = used.flatMap(({ expires }) => expires ?? []);
  const actors = spec.approvals && actorsOf(choice.main.facts);
  return {
    outcome: "passed",
    slsaLevel: choice.main.slsaLevel,
    checks: [...checksBefore(choice), ...choice.joins],
    attestations: [...new Set(used.map(({ facts }) => facts.attestation))],
    restsOn: sorted([...(asksAboutSource(spec) ? revisionsOf([choice.main.facts]) : []), ...otherDigests]),
    ...(ends.length > 0 && { validUntil: Math.min(...ends) }),
    // What is approved is known once it is known by which artifact this one passes: `evaluate` fills it in.
    ...(actors && { approvals: { actors, attested: [] } }),
  };
}

/** What passed before the joins were asked. */
function checksBefore({ main, required }: Choice): Check[] {
  return [
    ...main.checks,
    ...required.flatMap(({ gathered, chosen }) => [
      countCheck(gathered, chosen, chosen.length),
      ...chosen.flatMap(({ checks }) => checks),
    ]),
  ];
}

export function failed(checks: readonly Check[], restsOn: readonly Digest[] = []): Evaluation {
  return { outcome: "failed", slsaLevel: 0, checks, attestations: [], restsOn };
}

/** Each once. */
export function sorted(digests: readonly Digest[]): Digest[] {
  return [...new Set(digests)].sort();
}

function noEvidence(artifact: Digest, others: number): Check {
  return {
    check: "evidence",
    passed: false,
    expected: `an attestation about ${artifact}`,
    actual: others === 0 ? "none" : `none; ${others} about other artifacts`,
  };
}
