import type { ProjectId } from "../../custody/events.ts";
import { approvedUntil } from "../../custody/replay/replay.ts";
import { type Revocation, revocationOf, withoutRevoked } from "../../custody/revocations.ts";
import type { ApprovalRecord } from "../../db/approvals.ts";
import { type EvaluationInputs, readEvaluationInputs } from "../../db/decision-inputs.ts";
import { readStandingBelow } from "../../db/standing-below.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { evaluate } from "../../policy/evaluate.ts";
import type { VerificationPolicy } from "../../policy/policy.ts";
import type { Vouchsafe } from "../context.ts";
import { createGivingWay } from "../give-way.ts";
import { type Gathered, gatherEvidence, questionOf } from "../verification/gather-evidence.ts";
import { batchesConcerned } from "./concerned-artifacts.ts";
import { createFalls, type Falls, liveIdentities, type TurnedArtifact } from "./falls.ts";

/**
 * What falls by a revocation, whether or not it was recorded: each artifact that it may concern is judged by the policies
 * in force with the evidence that it takes away, and without. What has enough other evidence does not fall.
 *
 * @param below the log size at which it was recorded: identities that lived then fall with it
 */
export async function fallsOf(
  v: Vouchsafe,
  project: ProjectId,
  revocation: Revocation,
  below?: number,
): Promise<Falls> {
  const falls = createFalls();
  for await (const batch of batchesConcerned(v, project, revocation.target)) {
    if (falls.isLate()) break;
    const { fallen, gained } = await turnedAmong(v, project, batch, revocation);
    for (const one of fallen) falls.artifact(one);
    for (const one of gained) falls.gain(one);
    const lost = new Map(fallen.map(({ digest, policies }) => [digest, policies]));
    // Of one artifact there can be a hundred thousand.
    for await (const identity of liveIdentities(v, project, { anyOf: [...lost.keys()] }, below)) {
      if (falls.isLate()) break;
      const { digests, policies } = identity;
      if (digests.some((digest) => lost.get(digest)?.some((policy) => policies.includes(policy))))
        falls.identity(identity);
    }
  }
  return falls.read();
}

async function turnedAmong(
  v: Vouchsafe,
  project: ProjectId,
  artifacts: readonly Digest[],
  revocation: Revocation,
): Promise<{ readonly fallen: readonly TurnedArtifact[]; readonly gained: readonly TurnedArtifact[] }> {
  const [fallen, gained]: [TurnedArtifact[], TurnedArtifact[]] = [[], []];
  const inputs = await readEvaluationInputs(v.database.kysely, project, artifacts);
  if (!inputs.policies || !inputs.trust) return { fallen, gained };
  const { policies } = await v.documents.policies(project, inputs.policies.document);
  const trust = await v.documents.trust(project, inputs.trust.trust);
  const revocations = inputs.revocations.filter(({ id }) => id !== revocation.id);
  const before = await gatherEvidence(v, project, inputs, {
    policies: [...policies.values()],
    trust,
    revocations,
  });
  const after = without(before, revocation);
  const { approvals } = await readStandingBelow(v.database.kysely, project, artifacts, inputs.size);
  const giveWay = createGivingWay();
  for (const digest of artifacts) {
    const own = approvals.filter(({ artifact }) => artifact === digest);
    const [lost, won]: [string[], string[]] = [[], []];
    for (const policy of judgedBy(inputs, digest, policies)) {
      await giveWay();
      const passes = (gathered: Gathered) => isPassed(policy, digest, gathered, own, v.clock());
      const [was, is] = [passes(before), passes(after)];
      if (was && !is) lost.push(policy.name);
      if (is && !was) won.push(policy.name);
    }
    if (lost.length > 0) fallen.push({ digest, policies: lost });
    if (won.length > 0) gained.push({ digest, policies: won });
  }
  return { fallen, gained };
}

function without({ about, manifests, revoked }: Gathered, revocation: Revocation): Gathered {
  const left = [...about].map(([digest, evidence]) => {
    const standing = evidence.filter((one) => revocationOf(one, digest, [revocation]) === undefined);
    return [digest, standing] as const;
  });
  return { about: new Map(left), manifests: withoutRevoked(manifests, [revocation]), revoked };
}

function judgedBy(
  { verdicts }: EvaluationInputs,
  artifact: Digest,
  policies: ReadonlyMap<string, VerificationPolicy>,
): VerificationPolicy[] {
  return (verdicts.get(artifact) ?? []).flatMap(({ policy }) => policies.get(policy) ?? []);
}

/** Whether the artifact passes, approved as the policy asks: revoked evidence can be an approval. */
function isPassed(
  policy: VerificationPolicy,
  artifact: Digest,
  gathered: Gathered,
  approvals: readonly ApprovalRecord[],
  now: number,
): boolean {
  const evaluation = evaluate(policy, questionOf(artifact, gathered), now);
  return evaluation.outcome === "passed" && approvedUntil(approvals, policy, evaluation, now) !== undefined;
}
