import type { ProjectId } from "../../custody/events.ts";
import { type IdentityRecord, searchIdentities } from "../../db/identities.ts";
import { readEvents } from "../../db/log.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { digestsOf, policiesOf } from "../../policy/components.ts";
import type { PolicySet } from "../../policy/load.ts";
import type { WorkloadPolicy } from "../../policy/workload-policy.ts";
import type { Vouchsafe } from "../context.ts";
import type { StateAsOf } from "../custody/state-as-of.ts";
import { attestedIn, judgeIdentity, registrationsOf } from "../identities/judge-identity.ts";
import type { DenialReason } from "../identities/judge-workload.ts";
import { readStandings } from "./simulate-standings.ts";

/** A workload that holds a live identity and would be given no other. */
export interface DeniedWorkload {
  readonly spiffeId: string;
  /** The workload policy that it was registered by. */
  readonly workload: string;
  readonly requester: string;
  readonly digests: readonly Digest[];
  readonly reasons: readonly DenialReason[];
  /** What the policies that were in force say of it. */
  readonly active: "allow" | "deny";
}

export interface SimulatedWorkloads {
  /** Workloads with live identities: of one SPIFFE ID, requester and list of digests. */
  readonly running: number;
  readonly denied: number;
  /** Of those denied, how many the policies that were in force deny as well. */
  readonly deniedAlready: number;
  /** The first of those denied; what was allowed before comes first. */
  readonly workloads: readonly DeniedWorkload[];
}

/** How far it is: how many workloads were judged. */
export interface WorkloadsStep {
  readonly case: "workloads";
  readonly judged: number;
}

const PAGE = 256;
const MAX_NAMED = 200;
const MAX_REASONS = 8;

/** Asks of every live identity whether the workload that holds it would be granted it, were these policies in force. */
export async function* simulateWorkloads(
  v: Vouchsafe,
  project: ProjectId,
  state: StateAsOf,
  proposed: PolicySet,
): AsyncGenerator<WorkloadsStep, SimulatedWorkloads> {
  const seen = new Set<string>();
  const denied: DeniedWorkload[] = [];
  const deniedAlready: DeniedWorkload[] = [];
  const counts = { denied: 0, deniedAlready: 0 };
  for (let before = state.size; ; ) {
    const page = await searchIdentities(v.database.kysely, project, {
      liveAt: state.now,
      liveBelow: state.size,
      before,
      limit: PAGE,
    });
    const fresh = page.filter((identity) => {
      const key = keyOf(identity);
      return !seen.has(key) && seen.add(key);
    });
    for (const workload of await judgePage(v, project, state, proposed, fresh)) {
      counts.denied += 1;
      if (workload.active === "deny") counts.deniedAlready += 1;
      const named = workload.active === "deny" ? deniedAlready : denied;
      if (named.length < MAX_NAMED) named.push(workload);
    }
    yield { case: "workloads", judged: seen.size };
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    before = last.index;
  }
  return { running: seen.size, ...counts, workloads: [...denied, ...deniedAlready].slice(0, MAX_NAMED) };
}

function keyOf({ spiffeId, workload, requester, digests }: IdentityRecord): string {
  return JSON.stringify([spiffeId, workload, requester, digests]);
}

async function judgePage(
  v: Vouchsafe,
  project: ProjectId,
  state: StateAsOf,
  proposed: PolicySet,
  identities: readonly IdentityRecord[],
): Promise<DeniedWorkload[]> {
  const events = await readEvents(
    v.database.kysely,
    project,
    identities.map(({ index }) => index),
  );
  const attested = new Map(events.map(({ index, body }) => [index, attestedIn(body)]));
  const registered = identities.flatMap((identity) => {
    const running = attested.get(identity.index);
    if (running === undefined) return [];
    return {
      identity,
      running,
      before: registrationsOf(state.policySet, identity, running),
      after: registrationsOf(proposed, identity, running),
    };
  });
  const named = (set: PolicySet | undefined, workloads: readonly WorkloadPolicy[]) =>
    workloads.flatMap(({ spec }) => policiesOf(spec).flatMap((name) => set?.policies.get(name) ?? []));
  const policies = registered.flatMap(({ before, after }) => [
    ...named(state.policySet, before),
    ...named(proposed, after),
  ]);
  const digests = [...new Set(registered.flatMap(({ running }) => digestsOf(running.components)))];
  const standingsOf = await readStandings(v, project, state, digests, [...new Set(policies)]);

  return registered.flatMap(({ identity, running, before, after }) => {
    const standings = standingsOf(digestsOf(running.components));
    const judge = (set: PolicySet | undefined, registrations: readonly WorkloadPolicy[]) =>
      judgeIdentity(identity, running, registrations, {
        standings: ({ spec }) => standings(set, policiesOf(spec)),
        // Its workload is asked about, which gets another SVID where one was taken back.
        quarantines: state.quarantines.filter(({ target }) => "spiffeId" in target),
        now: state.now,
      });
    const judged = judge(proposed, after);
    if (judged.case === "holds") return [];
    const { spiffeId, workload, requester, digests } = identity;
    const active = judge(state.policySet, before).case === "denied" ? "deny" : "allow";
    return {
      spiffeId,
      workload,
      requester,
      digests,
      reasons: judged.reasons.slice(0, MAX_REASONS),
      active,
    } as const;
  });
}
