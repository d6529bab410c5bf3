import type { ProjectId } from "../custody/events.ts";
import { approvedUntil } from "../custody/replay.ts";
import { type Revocation, revocationOf, withoutRevoked } from "../custody/revocations.ts";
import type { ApprovalRecord } from "../db/approvals.ts";
import { type EvaluationInputs, readEvaluationInputs } from "../db/decision-inputs.ts";
import { type IdentityRecord, searchIdentities } from "../db/identities.ts";
import { readStandingBelow } from "../db/standing-below.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { evaluate } from "../policy/evaluate.ts";
import type { VerificationPolicy } from "../policy/policy.ts";
import { batchesConcerned } from "./concerned-artifacts.ts";
import type { Vouchsafe } from "./context.ts";
import { type Gathered, gatherEvidence, questionOf } from "./gather-evidence.ts";
import { createGivingWay } from "./give-way.ts";

/** An artifact, and of the policies that judge it those under which it fares otherwise. */
export interface TurnedArtifact {
  readonly digest: Digest;
  readonly policies: readonly string[];
}

/** A live identity that rests on what falls: it is not granted again, and lasts until `expiresAt` (RFC 3339) elsewhere. */
export interface FallenIdentity {
  readonly kind: IdentityRecord["kind"];
  readonly serial: string;
  readonly spiffeId: string;
  readonly requester: string;
  readonly expiresAt: string;
}

/** Who holds such identities: of one SPIFFE ID, workload policy, requester and list of digests. */
export type FallenWorkload = Pick<IdentityRecord, "spiffeId" | "workload" | "requester" | "digests">;

/** What falls with evidence: up to 1,000 of each kind by name, and how many there are. */
export interface Falls {
  /** Those that pass no longer. */
  readonly artifacts: readonly TurnedArtifact[];
  readonly identities: readonly FallenIdentity[];
  readonly workloads: readonly FallenWorkload[];
  /** Those that pass only now: the evidence spoke against them, and older evidence of its signer counts again. */
  readonly gains: readonly TurnedArtifact[];
  readonly totals: Readonly<Record<"artifacts" | "identities" | "workloads" | "gains", number>>;
  /** Whether there are more than are named. */
  readonly truncated: boolean;
  /** False where there was no time to judge every artifact: the totals are then too small, and all falls none the less. */
  readonly complete: boolean;
}

/** Identities read at once. */
const PAGE = 500;
const MAX_NAMED = 1000;
/** How long is looked for what falls, in milliseconds: an operator waits for the answer, and clients wait for 30 seconds. */
const PATIENCE = 15_000;

/**
 * What falls by a revocation, whether or not it was recorded: each artifact that it may concern is judged by the policies
 * in force with the evidence that it takes away, and without. What has enough other evidence does not fall.
 */
export async function fallsOf(v: Vouchsafe, project: ProjectId, revocation: Revocation): Promise<Falls> {
  const deadline = performance.now() + PATIENCE;
  const isLate = () => performance.now() > deadline;
  const artifacts = createNamed<TurnedArtifact>();
  const gains = createNamed<TurnedArtifact>();
  const identities = createNamed<FallenIdentity>();
  const workloads = createNamed<FallenWorkload>();
  let complete = true;
  for await (const batch of batchesConcerned(v, project, revocation.target)) {
    if (isLate()) {
      complete = false;
      break;
    }
    const { fallen, gained } = await turnedAmong(v, project, batch, revocation);
    for (const one of fallen) artifacts.add(one.digest, one);
    for (const one of gained) gains.add(one.digest, one);
    // Of one artifact there can be a hundred thousand.
    for await (const identity of restingOn(v, project, fallen)) {
      if (isLate()) {
        complete = false;
        break;
      }
      const { kind, serial, spiffeId, workload, requester, digests } = identity;
      const expiresAt = new Date(identity.expiresAt).toISOString();
      identities.add(`${kind} ${serial}`, { kind, serial, spiffeId, requester, expiresAt });
      const held = { spiffeId, workload, requester, digests };
      workloads.add(JSON.stringify(held), held);
    }
  }
  const all = [artifacts, identities, workloads, gains];
  return {
    artifacts: artifacts.named,
    identities: identities.named,
    workloads: workloads.named,
    gains: gains.named,
    totals: {
      artifacts: artifacts.total,
      identities: identities.total,
      workloads: workloads.total,
      gains: gains.total,
    },
    truncated: all.some(({ named, total }) => named.length < total),
    complete,
  };
}

/** Counts each thing once, by its key, and keeps the first. */
function createNamed<T>() {
  const keys = new Set<string>();
  const named: T[] = [];
  return {
    named,
    add(key: string, one: T) {
      if (keys.has(key)) return;
      keys.add(key);
      if (named.length < MAX_NAMED) named.push(one);
    },
    get total() {
      return keys.size;
    },
  };
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

/** The live identities that were granted because these artifacts passed what they pass no longer. */
async function* restingOn(
  v: Vouchsafe,
  project: ProjectId,
  fallen: readonly TurnedArtifact[],
): AsyncGenerator<IdentityRecord> {
  if (fallen.length === 0) return;
  const lost = new Map(fallen.map(({ digest, policies }) => [digest, policies]));
  const liveAt = v.clock();
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const page = await searchIdentities(v.database.kysely, project, {
      anyOf: [...lost.keys()],
      liveAt,
      before,
      limit: PAGE,
    });
    yield* page.filter(({ digests, policies }) =>
      digests.some((digest) => lost.get(digest)?.some((policy) => policies.includes(policy))),
    );
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    before = last.index;
  }
}
