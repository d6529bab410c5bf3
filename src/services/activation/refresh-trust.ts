import { join } from "node:path";
import type { ProjectId } from "../../custody/events.ts";
import { hasCode, VouchsafeError } from "../../errors.ts";
import type { InstanceDocument } from "../../trust/snapshot.ts";
import { createTrust, extendsTrust, type TrustDocument } from "../../trust/snapshot.ts";
import { refreshInstance } from "../../trust/sources.ts";
import type { TufSource } from "../../trust/tuf-source.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { inTurns, type Pages, PROJECTS_AT_ONCE } from "../in-turns.ts";
import { activateTrust, readActiveTrust } from "./activate-trust.ts";
import { CONFIGURATION } from "./propose.ts";

/** What a TUF repository answered when its instance was last refreshed by this node. Times are RFC 3339. */
export interface TrustSource {
  /** Of the instance. */
  readonly name: string;
  readonly repository: string;
  /** `cache`: the network was not believed, and what it said before has not expired. Null: neither vouched for anything. */
  readonly from: "network" | "cache" | null;
  readonly refreshedAt: string;
  /** When the first of the repository's metadata expires. */
  readonly expires: string | null;
  /** Why it is not from the network. */
  readonly problem: string | null;
}

export interface TrustProposal {
  readonly document: TrustDocument;
  readonly trust: string;
  /** Whether it only adds: everything that verifies goes on verifying. */
  readonly extendsActive: boolean;
}

export interface RefreshedTrust {
  /** Hash of the snapshot that is active, which the proposal is to replace. */
  readonly active: string | null;
  readonly sources: readonly TrustSource[];
  /** Null where the repositories publish what is active. */
  readonly proposal: TrustProposal | null;
}

/**
 * Asks the TUF repositories of the active instances for their trusted roots, and proposes what they say. Changes
 * nothing. An instance whose repository vouches for nothing stays as it is.
 */
export async function refreshTrust(
  v: Vouchsafe,
  { project }: Pick<Caller, "project">,
): Promise<RefreshedTrust> {
  const active = await readActiveTrust(v, project);
  if (active === undefined) return { active: null, sources: [], proposal: null };
  const refreshed = await Promise.all(
    active.document.sigstore.map((instance) => refreshOne(v, project, instance)),
  );
  const sources = refreshed.flatMap(({ source }) => source ?? []);
  v.trustSources.set(project, sources);
  const next = createTrust({ ...active.document, sigstore: refreshed.map(({ instance }) => instance) });
  const proposal = {
    document: next.document,
    trust: next.hash,
    extendsActive: extendsTrust(next, active),
  };
  return { active: active.hash, sources, proposal: next.hash === active.hash ? null : proposal };
}

interface Refreshed {
  readonly instance: InstanceDocument;
  readonly source?: TrustSource;
}

async function refreshOne(v: Vouchsafe, project: ProjectId, instance: InstanceDocument): Promise<Refreshed> {
  if (!hasSource(instance)) return { instance };
  const { name, tuf } = instance;
  const asked = { name, repository: tuf.repository, refreshedAt: new Date(v.clock()).toISOString() };
  try {
    const { instance: next, answer } = await refreshInstance(instance, {
      cacheDir: join(v.config.dataDir, "tuf"),
      // What other projects name is a stranger's word: it must not lead into this network.
      ...(project !== v.project && { outbound: v.config.outbound }),
    });
    // A root that does not load must not take the other instances' news with it.
    createTrust({ sigstore: [next], keys: [] });
    const { from, expires, problem = null } = answer;
    return { instance: next, source: { ...asked, from, expires: new Date(expires).toISOString(), problem } };
  } catch (error) {
    if (!(error instanceof VouchsafeError)) throw error;
    return { instance, source: { ...asked, from: null, expires: null, problem: error.message } };
  }
}

function hasSource(instance: InstanceDocument): instance is InstanceDocument & { readonly tuf: TufSource } {
  return instance.tuf !== undefined;
}

/** Refreshes every project's trust, as far as a node may by itself. */
export async function refreshAllTrust(v: Vouchsafe, signal: AbortSignal): Promise<void> {
  const failed = (cause: unknown) => v.report("trust could not be refreshed", cause);
  const projects = await v.projects.all();
  await inTurns(
    projects.map(({ id }) => refreshPages(v, id)),
    { atOnce: PROJECTS_AT_ONCE, signal, failed },
  );
}

async function* refreshPages(v: Vouchsafe, project: ProjectId): Pages {
  await refreshTrustByItself(v, { project, token: CONFIGURATION });
  yield;
}

/**
 * Refreshes and activates what only adds to the active trust. What takes something away is left to an operator, who
 * is told.
 */
export async function refreshTrustByItself(
  v: Vouchsafe,
  caller: Pick<Caller, "project" | "token">,
): Promise<void> {
  const { active, sources, proposal } = await refreshTrust(v, caller);
  for (const { name, problem } of sources) {
    if (problem !== null) v.report(`the trusted root of ${name} was not refreshed: ${problem}`, undefined);
  }
  if (proposal === null) return;
  if (!proposal.extendsActive) {
    v.report(
      "a TUF repository withdrew trust: look at it and put it in force with `vouchsafe trust refresh --withdraw`",
      undefined,
    );
    return;
  }
  try {
    await activateTrust(v, caller, { document: proposal.document, previous: active });
  } catch (error) {
    // Another node was first, or an operator: the next refresh starts from what they chose.
    if (!hasCode(error, "conflict")) throw error;
  }
}
