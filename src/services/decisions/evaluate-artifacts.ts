import { approvalsBody } from "../../custody/approval-bodies.ts";
import { type EventDraft, PROJECT_CHAIN, type ProjectId } from "../../custody/events.ts";
import { evidenceSetHash } from "../../custody/evidence-set.ts";
import type { Verdict } from "../../custody/log-store.ts";
import { targetText } from "../../custody/revocation-target.ts";
import { type Revocation, revocationOf, tellingRevoked } from "../../custody/revocations.ts";
import type { Proposal } from "../../custody/writer.ts";
import { readEvaluationInputs, type StoredAttestation } from "../../db/decision-inputs.ts";
import type { InForce, StandingVerdict } from "../../decisions/decide.ts";
import { hasEnded, isCurrent } from "../../decisions/passing.ts";
import { VouchsafeError } from "../../errors.ts";
import { canonicalJson } from "../../in-toto-attestation/json.ts";
import type { Digest, JsonObject } from "../../in-toto-attestation/types.ts";
import { appliesTo, evaluate } from "../../policy/evaluate.ts";
import type { PolicySet } from "../../policy/load.ts";
import type { Evaluation } from "../../policy/types.ts";
import type { VerifiedAttestation } from "../../verify/verified-attestation.ts";
import type { Vouchsafe } from "../context.ts";
import { createGivingWay } from "../give-way.ts";
import { gatherEvidence, questionOf } from "../verification/gather-evidence.ts";

/** Evidence about one artifact: each upload is judged beside all of it, and it all goes into one custody file. */
const MAX_EVIDENCE = { attestations: 1000, bytes: 64 * 1024 * 1024 };

/** Verdicts of some artifacts as they should be now, beside what the log says of them. */
export interface Evaluated {
  /** Verdicts whose outcome changed, as events; artifacts that fare alike under a policy share one. */
  readonly events: readonly EventDraft[];
  /** Verdicts that came out the same from newer policies, trust or evidence. */
  readonly confirmations: readonly Verdict[];
  /** Whether one of these events lets an artifact pass that did not, or at a higher SLSA level. */
  readonly improves: boolean;
  /** Whether what is about to go is revoked: what it would do when that is taken back, nobody can tell any more. */
  readonly removesRevoked: boolean;
  /** The trust snapshot that it was evaluated under; undefined where none is active. */
  readonly trust: string | undefined;
  /** What to hand to the writer so that it refuses them when anything they rest on moved. */
  readonly basis: Pick<Proposal, "project" | "asOf" | "restsOn">;
}

/**
 * Evaluates artifacts under every active policy that applies to them or that is named, from the evidence that is
 * stored and from `added`, which is about to be. Evidence is verified anew from its bytes under the active trust snapshot; what
 * no longer verifies, what was revoked, and `removed`, which is about to go, does not count.
 *
 * @throws VouchsafeError `evidence-revoked` for `added` that counts for nothing; `too-many-items`
 */
export async function evaluateArtifacts(
  v: Vouchsafe,
  project: ProjectId,
  artifacts: readonly Digest[],
  {
    added,
    removed,
    policies: named = [],
  }: { added?: VerifiedAttestation; removed?: Digest; policies?: readonly string[] } = {},
): Promise<Evaluated> {
  const inputs = await readEvaluationInputs(v.database.kysely, project, artifacts);
  const basis = { project, asOf: inputs.size, restsOn: [PROJECT_CHAIN, ...artifacts] };
  const trustHash = inputs.trust?.trust;
  if (!inputs.policies || trustHash === undefined)
    return {
      events: [],
      confirmations: [],
      improves: false,
      removesRevoked: false,
      trust: trustHash,
      basis,
    };

  const policySet = await v.documents.policies(project, inputs.policies.document);
  const trust = await v.documents.trust(project, trustHash);
  const { revocations } = inputs;
  if (added) {
    refuseRevoked(added, artifacts, revocations);
    for (const artifact of artifacts) refuseTooMany(artifact, inputs.attestations.get(artifact) ?? []);
  }
  const gathered = await gatherEvidence(v, project, inputs, {
    policies: [...policySet.policies.values()],
    trust,
    revocations,
    ...(added && { added }),
    ...(removed && { removed }),
  });

  const changed = new Map<string, { evaluation: Evaluation; policy: string; artifacts: JudgedArtifact[] }>();
  const confirmations: Verdict[] = [];
  let improves = false;
  const giveWay = createGivingWay();
  for (const artifact of artifacts) {
    const ids = new Set(inputs.attestations.get(artifact)?.map(({ id }) => id));
    if (added) ids.add(added.id);
    if (removed) ids.delete(removed);
    const evidenceSet = evidenceSetHash([...ids]);
    const question = questionOf(artifact, gathered);

    for (const policy of policySet.policies.values()) {
      const before = inputs.verdicts.get(artifact)?.find((verdict) => verdict.policy === policy.name);
      if (!before && !named.includes(policy.name) && !appliesTo(policy, question)) continue;
      await giveWay();
      const found = evaluate(policy, question, v.clock());
      const looked = [artifact, ...found.restsOn];
      const evaluation = tellingRevoked(
        found,
        looked.flatMap((digest) => gathered.revoked.get(digest) ?? []),
      );
      if (before && sameOutcome(before, evaluation)) {
        const isUnchanged =
          !before.isOvertaken &&
          before.asOf >= inputs.revocationsAsOf &&
          before.evidenceSet === evidenceSet &&
          before.policyHash === policy.hash &&
          before.trustHash === trustHash;
        if (!isUnchanged) confirmations.push({ ...before, policyHash: policy.hash, trustHash, evidenceSet });
        continue;
      }
      improves ||=
        evaluation.outcome === "passed" &&
        (before?.outcome !== "passed" || before.slsaLevel < evaluation.slsaLevel);
      const likeness = canonicalJson({ policy: policy.name, ...evaluationBody(evaluation) });
      const group = changed.get(likeness) ?? { evaluation, policy: policy.name, artifacts: [] };
      group.artifacts.push({ digest: artifact, evidenceSet });
      changed.set(likeness, group);
    }
  }

  const events = [...changed.values()].map(({ evaluation, policy, artifacts }) =>
    verdictEvent(policySet, policy, trustHash, artifacts, evaluation),
  );
  const restsOn = [...new Set([...basis.restsOn, ...gathered.about.keys()])];
  const removesRevoked = [...gathered.revoked.values()]
    .flat()
    .some(({ attestation }) => attestation === removed);
  return { events, confirmations, improves, removesRevoked, trust: trustHash, basis: { ...basis, restsOn } };
}

/** Whether a verdict of these policies is missing, outdated or at its end at `now` though there is evidence to judge. */
export function needsEvaluation(
  verdicts: readonly StandingVerdict[],
  policies: readonly string[],
  inForce: InForce,
  now: number,
): boolean {
  return policies.some((name) => {
    if (!inForce.policies.has(name)) return false;
    const verdict = verdicts.find((candidate) => candidate.policy === name);
    return verdict === undefined || !isCurrent(verdict, inForce) || hasEnded(verdict, now);
  });
}

/** Refused is what would count for nothing. What counts about one of its artifacts is taken, and counts there. */
function refuseRevoked(
  added: VerifiedAttestation,
  artifacts: readonly Digest[],
  revocations: readonly Revocation[],
): void {
  const [first, ...others] = artifacts.map((artifact) => revocationOf(added, artifact, revocations));
  if (first === undefined || others.includes(undefined)) return;
  const { id, target, reason } = first;
  throw new VouchsafeError(
    "evidence-revoked",
    `The ${targetText(target)} was revoked (${id}: ${reason}): nothing that this says counts`,
    { extensions: { revocation: id } },
  );
}

function refuseTooMany(artifact: Digest, stored: readonly StoredAttestation[]): void {
  const bytes = stored.reduce((sum, { size }) => sum + size, 0);
  if (stored.length < MAX_EVIDENCE.attestations && bytes < MAX_EVIDENCE.bytes) return;
  throw new VouchsafeError(
    "too-many-items",
    `${artifact} has ${stored.length} attestations of ${bytes} bytes already; no more are taken`,
  );
}

interface JudgedArtifact {
  readonly digest: Digest;
  readonly evidenceSet: Digest;
}

function sameOutcome(before: Verdict, evaluation: Evaluation): boolean {
  return (
    before.outcome === evaluation.outcome &&
    before.slsaLevel === evaluation.slsaLevel &&
    before.validUntil === evaluation.validUntil &&
    canonicalJson(before.restsOn) === canonicalJson(evaluation.restsOn) &&
    sameApprovals(before.approvals, evaluation.approvals) &&
    canonicalJson(before.attestations) === canonicalJson(evaluation.attestations) &&
    canonicalJson(before.checks as never) === canonicalJson(evaluation.checks as never)
  );
}

function sameApprovals(before: Verdict["approvals"], now: Evaluation["approvals"]): boolean {
  return canonicalJson((before ?? null) as never) === canonicalJson((now ?? null) as never);
}

function evaluationBody(evaluation: Evaluation): JsonObject {
  return {
    outcome: evaluation.outcome,
    attestations: evaluation.attestations,
    slsaLevel: evaluation.slsaLevel,
    validUntil: evaluation.validUntil === undefined ? null : new Date(evaluation.validUntil).toISOString(),
    checks: evaluation.checks.map((check) => ({ ...check })),
    ...(evaluation.restsOn.length > 0 && { restsOn: evaluation.restsOn }),
    ...(evaluation.approvals && { approvals: approvalsBody(evaluation.approvals) }),
  };
}

function verdictEvent(
  policySet: PolicySet,
  policy: string,
  trust: string,
  artifacts: readonly JudgedArtifact[],
  evaluation: Evaluation,
): EventDraft {
  const { outcome, ...body } = evaluationBody(evaluation);
  return {
    type: outcome === "passed" ? "verdict.passed" : "verdict.failed",
    about: artifacts.map(({ digest }) => digest),
    body: {
      policy,
      policyHash: policySet.policies.get(policy)?.hash ?? "",
      policySet: policySet.hash,
      trust,
      artifacts: artifacts.map(({ digest, evidenceSet }) => ({ digest, evidenceSet })),
      ...body,
    },
  };
}
