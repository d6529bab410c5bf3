import type { ProjectId } from "../custody/events.ts";
import { type IdentityRecord, searchIdentities } from "../db/identities.ts";
import { readEvents } from "../db/log.ts";
import { parseSpiffeId, pathOf } from "../identity/spiffe-id.ts";
import { hexOf } from "../in-toto-attestation/digest.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { PolicySet } from "../policy/load.ts";
import {
  matchWorkloads,
  parseRequester,
  spiffePath,
  type WorkloadPolicy,
} from "../policy/workload-policy.ts";
import type { Vouchsafe } from "./context.ts";
import { type DenialReason, judgeWorkload, notRegistered } from "./judge-workload.ts";
import { readStandings, type Standings } from "./simulate-standings.ts";
import type { StateAsOf } from "./state-as-of.ts";

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
  const selectors = new Map(events.map(({ index, body }) => [index, textsIn(body.selectors)]));
  const registered = identities.map((identity) => ({
    identity,
    before: registrationsOf(state.policySet, identity, selectors.get(identity.index) ?? []),
    after: registrationsOf(proposed, identity, selectors.get(identity.index) ?? []),
  }));
  const named = (set: PolicySet | undefined, workloads: readonly WorkloadPolicy[]) =>
    workloads.flatMap(({ spec }) => spec.policies.flatMap((name) => set?.policies.get(name) ?? []));
  const policies = registered.flatMap(({ before, after }) => [
    ...named(state.policySet, before),
    ...named(proposed, after),
  ]);
  const digests = [...new Set(identities.flatMap(({ digests }) => digests))];
  const standingsOf = await readStandings(v, project, state, digests, [...new Set(policies)]);

  return registered.flatMap(({ identity, before, after }) => {
    const standings = standingsOf(identity.digests);
    const reasons = denialsOf(identity, after, proposed, standings, state.now);
    if (reasons === undefined) return [];
    const { spiffeId, workload, requester, digests } = identity;
    const wasDenied = denialsOf(identity, before, state.policySet, standings, state.now) !== undefined;
    const active = wasDenied ? "deny" : "allow";
    return {
      spiffeId,
      workload,
      requester,
      digests,
      reasons: reasons.slice(0, MAX_REASONS),
      active,
    } as const;
  });
}

/** The workload policies by which this very identity is given to those who asked for it. */
function registrationsOf(
  set: PolicySet | undefined,
  { requester, spiffeId, digests: [first] }: IdentityRecord,
  selectors: readonly string[],
): WorkloadPolicy[] {
  if (set === undefined || first === undefined) return [];
  const path = pathOf(parseSpiffeId(spiffeId));
  return matchWorkloads(set, parseRequester(requester), selectors).filter(
    (workload) => spiffePath(workload, hexOf(first)) === path,
  );
}

/** Undefined where one of the registrations gives it. */
function denialsOf(
  { kind, spiffeId }: IdentityRecord,
  registrations: readonly WorkloadPolicy[],
  set: PolicySet | undefined,
  standings: Standings,
  now: number,
): readonly DenialReason[] | undefined {
  if (registrations.length === 0) return [notRegistered(spiffeId)];
  const judged = registrations.map((workload) =>
    judgeWorkload(workload, standings(set, workload.spec.policies), {
      kind,
      now,
      until: Number.MAX_SAFE_INTEGER,
    }),
  );
  return judged.some(({ entitlement }) => entitlement !== undefined)
    ? undefined
    : judged.flatMap(({ denials }) => denials);
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}
