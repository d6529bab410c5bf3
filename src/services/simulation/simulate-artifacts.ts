import type { ProjectId } from "../../custody/events.ts";
import type { StoredAttestation } from "../../db/decision-inputs.ts";
import { countAttestations } from "../../db/recorded-evidence.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { type EditTally, NOTHING_TALLIED, together } from "../../policy/flips.ts";
import type { PolicySet } from "../../policy/load.ts";
import { changeOf, editsBetween } from "../../policy/simulate.ts";
import type { Recorded } from "../../verify/recall.ts";
import type { VerifiedAttestation } from "../../verify/verified-attestation.ts";
import type { Vouchsafe } from "../context.ts";
import type { StateAsOf } from "../custody/state-as-of.ts";
import { batchesBelow, type StoredBatch, withOthers } from "./batches.ts";
import { type SimulationThreads, startSimulationThreads } from "./threads.ts";

/** How far it is: of how many attestations the artifacts were judged. */
export interface ArtifactsStep {
  readonly case: "progress";
  readonly attestations: number;
  readonly of: number;
}

/** What each policy that changes does to all artifacts, by the policy's name. */
export interface SimulatedArtifacts {
  readonly artifacts: number;
  readonly tallies: ReadonlyMap<string, EditTally>;
}

/**
 * Judges every artifact by both sides of each policy that changes, on the evidence that there was, in pages: memory
 * does not grow with what is stored.
 */
export async function* simulateArtifacts(
  v: Vouchsafe,
  project: ProjectId,
  state: StateAsOf,
  proposed: PolicySet,
): AsyncGenerator<ArtifactsStep, SimulatedArtifacts> {
  const before = state.policySet;
  const names = editsBetween(before?.policies ?? new Map(), proposed.policies)
    .filter((edit) => changeOf(edit) !== "unchanged")
    .map(({ name }) => name);
  const of =
    names.length === 0
      ? 0
      : await countAttestations(v.database.kysely, project, { from: 0, below: state.size });
  yield { case: "progress", attestations: 0, of };
  let tallies: readonly EditTally[] = names.map(() => NOTHING_TALLIED);
  let artifacts = 0;
  const result = () => ({
    artifacts,
    tallies: new Map(names.map((name, i) => [name, tallies[i] ?? NOTHING_TALLIED])),
  });
  if (of === 0) return result();

  const { holding, revocations, now } = state;
  const data = { before: before?.files ?? [], after: proposed.files, holding, revocations, now };
  const threads = startSimulationThreads(data, of);
  // In order, so that the first that are named are the first that the log knew.
  const underWay: Promise<readonly EditTally[]>[] = [];
  const next = async () => {
    const judged = await underWay.shift();
    tallies = tallies.map((tally, i) => together(tally, judged?.[i] ?? NOTHING_TALLIED));
  };
  try {
    let attestations = 0;
    for await (const page of batchesBelow(v, project, state.size)) {
      for await (const batch of page.batches) {
        artifacts += batch.artifacts.length;
        const judging = judge(v, project, state, threads, batch);
        // Whoever stops listening leaves some under way, that then fail.
        judging.catch(() => {});
        underWay.push(judging);
        if (underWay.length >= threads.atOnce) await next();
      }
      attestations += page.attestations;
      yield { case: "progress", attestations, of };
    }
    while (underWay.length > 0) await next();
    return result();
  } finally {
    await threads.close();
  }
}

/** Finds out what the log's word is not enough for, and asks again. */
async function judge(
  v: Vouchsafe,
  project: ProjectId,
  state: StateAsOf,
  threads: SimulationThreads,
  batch: StoredBatch,
): Promise<readonly EditTally[]> {
  for (let asked = batch; ; ) {
    const { stored, ...question } = asked;
    const judged = await threads.judge(question);
    if (judged.case === "judged") return judged.tallies;
    const verified = await verifyAnew(v, project, state, stored, new Set(judged.verify));
    asked = await withOthers(v, project, asked, judged.about, state.size);
    asked = { ...asked, verified: new Map([...asked.verified, ...verified]) };
  }
}

async function verifyAnew(
  v: Vouchsafe,
  project: ProjectId,
  { trust }: StateAsOf,
  stored: readonly StoredAttestation[],
  ids: ReadonlySet<Digest>,
): Promise<Map<Digest, Recorded | null>> {
  const chosen = new Map(stored.filter(({ id }) => ids.has(id)).map((one) => [one.id, one]));
  const verified = trust && (await v.evidence.verified(project, [...chosen.values()], trust));
  return new Map([...ids].map((id) => [id, recordOf(verified?.get(id))]));
}

function recordOf(verified: VerifiedAttestation | undefined): Recorded | null {
  if (verified === undefined) return null;
  const { id, signer, times, findings } = verified;
  return { id, signer, times, findings };
}
