import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type ChainKey, PROJECT_CHAIN, type ProjectId } from "../../custody/events.ts";
import { movedSince, withIdentities } from "../../db/due-projects.ts";
import { oldestLive, touchedIdentities } from "../../db/identities.ts";
import { dropLease, takeLease } from "../../db/leases.ts";
import { readHead } from "../../db/log.ts";
import { hasCode } from "../../errors.ts";
import type { Vouchsafe } from "../context.ts";
import { PROJECTS_AT_ONCE } from "../in-turns.ts";
import { grownBeyond } from "../log/log-growth.ts";
import { type Ends, sweepIdentities } from "./sweep-identities.ts";

const LEASE = "sweep_lease";
/** For how long a node that does not come back keeps the others from sweeping. */
const LEASE_SECONDS = 10;
/** After how much of that it is taken anew, in milliseconds. */
const KEPT_FOR = 3_000;
/** However much is appended, there is at least as long a rest as the look before took, and this, in milliseconds. */
const PACE = 100;
/** How often the lease is tried for, and ends of time are looked at although nothing was appended, in milliseconds. */
const LOOK = 1_000;

/** How far a node has come with a project. */
interface Progress {
  /** Log size that was swept to; undefined until all that live were looked at. */
  readonly size: number | undefined;
  readonly ends: Ends;
}

/** A project that has live identities, or had some. */
interface Swept extends Progress {
  /** Whether something moved that was not looked at yet. */
  readonly isDue: boolean;
  /** When it may be swept again, by the monotonic clock: there is at least as long a rest as the sweep before took. */
  readonly notBefore: number;
}

/**
 * Decides live identities anew whenever something that they may rest on moves, in all projects, as long as the node runs. One node at a
 * time does, by a lease. Who gets it looks at all that live first: what the one before knew, and what it left undone, nobody tells.
 *
 * One question finds the projects of which something moved. Each is swept beside the others, so that none waits until
 * all that lives in another was judged.
 */
export async function keepSweeping(v: Vouchsafe, signal: AbortSignal): Promise<void> {
  const { database } = v;
  const { kysely } = database;
  const holder = randomUUID();
  const failing = new Set<ProjectId | "all">();
  const running = new Map<ProjectId, Promise<void>>();
  const known = new Map<ProjectId, Swept>();
  let taken = Number.NEGATIVE_INFINITY;
  /** Log size up to which it is known of which projects something moved; undefined while it is another node's turn. */
  let seen: number | undefined;

  async function isMyTurn(): Promise<boolean> {
    if (signal.aborted) return false;
    if (performance.now() - taken < KEPT_FOR) return true;
    const isMine = await takeLease(database, LEASE, holder, LEASE_SECONDS);
    taken = isMine ? performance.now() : Number.NEGATIVE_INFINITY;
    return isMine;
  }

  /** Notes of which projects something moved since the last look. */
  async function look(): Promise<void> {
    const { size } = await readHead(kysely);
    const moved =
      seen === undefined
        ? { projects: await withIdentities(kysely, v.clock()), everywhere: false }
        : await movedSince(kysely, seen, v.clock());
    for (const project of moved.everywhere ? [...known.keys()] : []) note(project, { isDue: true });
    for (const project of moved.projects) note(project, { isDue: true });
    seen = size;
  }

  function note(project: ProjectId, what: Partial<Swept>): void {
    const before = known.get(project) ?? { size: undefined, ends: new Map(), isDue: true, notBefore: 0 };
    // Those of which something moved last come last.
    if (what.isDue === true) known.delete(project);
    known.set(project, { ...before, ...what });
  }

  function startDue(): void {
    const now = v.clock();
    for (const [project, { isDue, ends, notBefore }] of known) {
      if (running.size >= PROJECTS_AT_ONCE) return;
      if (running.has(project) || performance.now() < notBefore) continue;
      if (!(isDue || [...ends.values()].some((end) => end <= now))) continue;
      running.set(
        project,
        sweep(project).finally(() => running.delete(project)),
      );
    }
  }

  async function sweep(project: ProjectId): Promise<void> {
    const begun = performance.now();
    try {
      note(project, { isDue: false });
      const before = known.get(project);
      const after = before && (await sweepMoved(v, project, before, isMyTurn));
      const notBefore = 2 * performance.now() - begun;
      note(project, after === undefined ? { isDue: true } : { ...after, notBefore });
      failing.delete(project);
    } catch (cause) {
      tell(project, cause);
      note(project, { isDue: true, notBefore: performance.now() + LOOK });
    }
  }

  /** That the database is away is told by who follows the log. What was not looked at is looked at again. */
  function tell(whose: ProjectId | "all", cause: unknown): void {
    if (!failing.has(whose) && !hasCode(cause, "unavailable"))
      v.report("live identities could not be decided anew", cause);
    failing.add(whose);
  }

  while (!signal.aborted) {
    const begun = performance.now();
    let isFailing = false;
    try {
      if (await isMyTurn()) {
        await look();
        startDue();
      } else {
        seen = undefined;
        known.clear();
      }
      failing.delete("all");
    } catch (cause) {
      tell("all", cause);
      isFailing = true;
    }
    const isIdle = seen === undefined || isFailing;
    await rest(isIdle ? LOOK : Math.max(performance.now() - begun, PACE), signal);
    // What waits for its turn is looked at as soon as another has ended.
    if (!isIdle)
      await Promise.race([grownBeyond(v, seen ?? 0, LOOK, signal), ...running.values()]).catch(
        () => undefined,
      );
  }
  await Promise.all(running.values());
  if (seen !== undefined) await dropLease(database, LEASE, holder);
}

/** @returns undefined when it was not to go on */
async function sweepMoved(
  v: Vouchsafe,
  project: ProjectId,
  before: Progress,
  goOn: () => Promise<boolean>,
): Promise<Progress | undefined> {
  const { kysely } = v.database;
  const { size } = await readHead(kysely);
  const now = v.clock();
  const from = before.size ?? (await oldestLive(kysely, project, now)) ?? size;
  const touched = await touchedIdentities(kysely, project, { liveAt: now, from });
  const moved = new Map<ChainKey, number | null>(touched.map(({ key, index }) => [key, index]));
  const due = [...before.ends].filter(([, end]) => end <= now).map(([digest]) => digest);
  for (const key of before.size === undefined ? [PROJECT_CHAIN] : due) moved.set(key, moved.get(key) ?? null);
  if (moved.size === 0) return { size, ends: before.ends };
  const found = await sweepIdentities(v, project, moved, goOn);
  if (found === undefined) return undefined;
  const kept = [...before.ends].filter(([key]) => !moved.has(key) && !moved.has(PROJECT_CHAIN));
  return { size, ends: new Map([...kept, ...found]) };
}

async function rest(time: number, signal: AbortSignal): Promise<void> {
  await sleep(time, undefined, { signal }).catch(() => undefined);
}
