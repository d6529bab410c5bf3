import { algorithmOf, type Digest, groundsAllow } from "../in-toto-attestation/index.ts";
import { assertVerified, type VerifiedAttestation } from "../verify/verified-attestation.ts";
import { wholeBudget } from "./cel/meter.ts";
import { attestedApprovals } from "./evaluation/approval-statement.ts";
import {
  CONTAINMENT_CHECK,
  type Container,
  containersOf,
  evidenceAbout,
  pathText,
} from "./evaluation/containment.ts";
import { decisiveChecks } from "./evaluation/decisive.ts";
import { failed, judge, sorted } from "./evaluation/judge.ts";
import { nameMatches } from "./evaluation/revisions.ts";
import { factsOf, type Sayings } from "./facts.ts";
import type { VerificationPolicy } from "./policy.ts";
import type { Asked, Question } from "./question.ts";
import type { Check, Evaluation } from "./types.ts";

/**
 * What the policy says of an artifact on this evidence at `now` (milliseconds since the epoch). Deny by default:
 * it passes when one attestation passes every check, each further requirement has its evidence, and the joins are true
 * of them together; or when an artifact passes that holds it. The same evidence in another order gives the same answer.
 */
export function evaluate(policy: VerificationPolicy, question: Question, now: number): Evaluation {
  const { evidence, others } = question;
  // Of others' evidence there may be much that is not looked at.
  const asserted = { get: (digest: Digest) => allVerified(others.get(digest)) };
  return evaluateStated(policy, { ...question, evidence: allVerified(evidence), others: asserted }, now);
}

function allVerified<E extends readonly VerifiedAttestation[] | undefined>(evidence: E): E {
  for (const attestation of evidence ?? []) assertVerified(attestation);
  return evidence;
}

/**
 * The same of what evidence would say, whether or not anybody verified it: for tests of policies, which state it. For
 * `policy/` alone; the import arrows refuse it elsewhere.
 */
export function evaluateStated(
  policy: VerificationPolicy,
  question: Asked<Sayings>,
  now: number,
): Evaluation {
  const { artifact, others } = question;
  if (!groundsAllow(artifact)) return failed([weakDigest(artifact)]);
  const asking = { now, whole: wholeBudget() };
  const own = judge(policy, artifact, question, asking);
  if (own.outcome === "passed") return withAttested(policy, question, own);
  const failures: { container: Container; evaluation: Evaluation }[] = [];
  for (const container of containersOf(policy.spec, question, now)) {
    const evidence = evidenceAbout(container.digest, question);
    const evaluation = judge(policy, container.digest, { evidence, others }, asking);
    if (evaluation.outcome === "passed")
      return withAttested(policy, question, passedWithin(container, evaluation));
    failures.push({ container, evaluation });
  }
  return failures.length === 0 ? own : failedWithin(own, failures);
}

/** With the approval attestations about the artifact itself, now that it is known what the pass rests on. */
function withAttested(
  policy: VerificationPolicy,
  { artifact, evidence }: Pick<Question<Sayings>, "artifact" | "evidence">,
  pass: Evaluation,
): Evaluation {
  const rule = policy.spec.approvals;
  if (rule === undefined || pass.approvals === undefined) return pass;
  const said = evidence.flatMap((one) => factsOf(one, artifact, () => true) ?? []);
  const attested = attestedApprovals(policy, rule, said, pass.attestations);
  return { ...pass, approvals: { ...pass.approvals, attested } };
}

/** What holds the artifact passed, and so it does. */
function passedWithin(container: Container, evaluation: Evaluation): Evaluation {
  const { checks, attestations, restsOn, validUntil } = evaluation;
  const statements = container.path.flatMap(({ statement }) => statement?.attestation ?? []);
  const ends = [validUntil, ...container.path.map(({ expires }) => expires)].filter(
    (end) => end !== undefined,
  );
  return {
    ...evaluation,
    checks: [...checks, containmentCheck(true, pathText(container))],
    attestations: [...new Set([...attestations, ...statements])],
    restsOn: sorted([...restsOn, ...container.path.map((link) => link.container)]),
    ...(ends.length > 0 && { validUntil: Math.min(...ends) }),
  };
}

/** Neither it passed nor what holds it: of that the nearest of which there is evidence says what it misses. */
function failedWithin(
  own: Evaluation,
  failures: readonly { readonly container: Container; readonly evaluation: Evaluation }[],
): Evaluation {
  const nearest =
    failures.find(({ evaluation }) => evaluation.checks.some(({ attestation }) => attestation)) ??
    failures[0];
  const more = failures.length === 1 ? "" : `, and none of ${failures.length - 1} more`;
  const actual = nearest && `it does not pass ${pathText(nearest.container)}${more}`;
  return failed(
    [
      ...own.checks,
      containmentCheck(false, actual ?? ""),
      ...(nearest === undefined ? [] : decisiveChecks(nearest.evaluation)),
    ],
    sorted(
      [
        own.restsOn,
        ...failures.map(({ container, evaluation }) => [container.digest, ...evaluation.restsOn]),
      ].flat(),
    ),
  );
}

function containmentCheck(passed: boolean, actual: string): Check {
  return { check: CONTAINMENT_CHECK, passed, expected: "an artifact passes that holds it", actual };
}

/**
 * Whether the policy's `artifacts` select this one, or one that holds it. What it is called is what evidence calls it, from
 * anybody: that decides only what is evaluated. A pass needs the name from a signer that the policy trusts.
 */
export function appliesTo({ spec }: VerificationPolicy, question: Asked<Sayings>): boolean {
  const containers = containersOf(spec, question, Number.NEGATIVE_INFINITY);
  return [question.artifact, ...containers.map(({ digest }) => digest)].some((digest) => {
    const { artifacts } = spec;
    if (artifacts.digests !== undefined && !artifacts.digests.includes(digest)) return false;
    return ["", ...namesOf(digest, evidenceAbout(digest, question))].some((name) =>
      nameMatches(artifacts, name),
    );
  });
}

function namesOf(artifact: Digest, evidence: readonly Sayings[]): string[] {
  return evidence.flatMap(({ subjects }) =>
    subjects.flatMap(({ name, digests }) => (name && digests.includes(artifact) ? [name] : [])),
  );
}

function weakDigest(artifact: Digest): Check {
  return {
    check: "artifact.algorithm",
    passed: false,
    expected: "sha256, sha384 or sha512",
    actual: algorithmOf(artifact),
  };
}
