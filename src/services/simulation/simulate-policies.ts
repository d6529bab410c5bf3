import type { ProjectId } from "../../custody/events.ts";
import { VouchsafeError } from "../../errors.ts";
import { type AccessEdit, accessEdits } from "../../policy/access-edits.ts";
import { type EditTally, NOTHING_TALLIED } from "../../policy/flips.ts";
import { loadPolicySet, type PolicyFile, type PolicySet } from "../../policy/load.ts";
import { requireOfProject } from "../../policy/project-reach.ts";
import { type Change, changeOf, editsBetween } from "../../policy/simulate.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { type AsOf, type StateAsOf, stateAsOf } from "../custody/state-as-of.ts";
import { type ArtifactsStep, type SimulatedArtifacts, simulateArtifacts } from "./simulate-artifacts.ts";
import { type SimulatedWorkloads, simulateWorkloads, type WorkloadsStep } from "./simulate-workloads.ts";

export interface SimulationRequest {
  readonly documents: readonly PolicyFile[];
  /** Absent: now. */
  readonly asOf?: AsOf;
}

export interface Simulation {
  /** The log size and the time (RFC 3339) that it is about. */
  readonly asOf: { readonly size: number; readonly time: string };
  /** Hash of the policy set that is proposed, and of the one that it would replace. */
  readonly policySet: string;
  readonly active: string | null;
  /** Artifacts that were judged: none where no policy changes. */
  readonly artifacts: number;
  readonly policies: readonly SimulatedPolicy[];
  /** Every AccessPolicy of either set, with what differs of whom it lets in. */
  readonly access: readonly AccessEdit[];
  readonly workloads: SimulatedWorkloads;
}

export interface SimulatedPolicy extends EditTally {
  readonly name: string;
  readonly change: Change;
}

export type SimulationStep =
  | ArtifactsStep
  | WorkloadsStep
  | { readonly case: "result"; readonly result: Simulation };

/** A simulation takes every core: a node does one at a time for a project, so that no project keeps the others from theirs, and so many in all. */
const simulating = new WeakMap<Vouchsafe, Set<ProjectId>>();
const AT_ONCE = 4;

/**
 * What would change if these policies took the place of those that are in force, or that were. Its last step is the
 * result. Nothing is written: no event, and no verdict.
 *
 * @throws VouchsafeError before the first step: `invalid-policy` with every mistake; `invalid-request` for a time to come
 *   or a size that the log does not have; `unavailable` while the node does another simulation for the project, or too many
 */
export async function* simulatePolicies(
  v: Vouchsafe,
  { project }: Pick<Caller, "project">,
  { documents, asOf }: SimulationRequest,
): AsyncGenerator<SimulationStep> {
  const others = simulating.get(v) ?? new Set<ProjectId>();
  if (others.has(project) || others.size >= AT_ONCE) {
    throw new VouchsafeError("unavailable", "This node simulates as much as it can; try again shortly");
  }
  simulating.set(v, others.add(project));
  try {
    const proposed = loadPolicySet(documents);
    requireOfProject(proposed, await v.projects.nameOf(project));
    const state = await stateAsOf(v, project, asOf);
    const artifacts = yield* simulateArtifacts(v, project, state, proposed);
    const workloads = yield* simulateWorkloads(v, project, state, proposed);
    yield { case: "result", result: simulationOf(state, proposed, artifacts, workloads) };
  } finally {
    others.delete(project);
  }
}

function simulationOf(
  { size, now, policySet }: StateAsOf,
  proposed: PolicySet,
  { artifacts, tallies }: SimulatedArtifacts,
  workloads: SimulatedWorkloads,
): Simulation {
  return {
    asOf: { size, time: new Date(now).toISOString() },
    policySet: proposed.hash,
    active: policySet?.hash ?? null,
    artifacts,
    policies: editsBetween(policySet?.policies ?? new Map(), proposed.policies).map((edit) => {
      return { name: edit.name, change: changeOf(edit), ...(tallies.get(edit.name) ?? NOTHING_TALLIED) };
    }),
    access: accessEdits(policySet?.access ?? new Map(), proposed.access),
    workloads,
  };
}
