import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type ChainKey, PROJECT_CHAIN } from "../custody/events.ts";
import { hasMoved, oldestLive, touchedIdentities } from "../db/identities.ts";
import { dropLease, takeLease } from "../db/leases.ts";
import { readHead } from "../db/log.ts";
import { hasCode } from "../errors.ts";
import type { Vouchsafe } from "./context.ts";
import { grownBeyond } from "./log-growth.ts";
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

/** How far a node has come that has its turn. */
interface Progress {
  /** Log size that was swept to. */
  readonly size: number;
  readonly ends: Ends;
}

/**
 * Decides live identities anew whenever something that they may rest on moves, as long as the node runs. One node at a time does,
 * by a lease. Who gets it looks at all that live first: what the one before knew, and what it left undone, nobody tells.
 */
export async function keepSweeping(v: Vouchsafe, signal: AbortSignal): Promise<void> {
  const { database, project } = v;
  const { kysely } = database;
  const holder = randomUUID();
  let taken = Number.NEGATIVE_INFINITY;
  let isFailing = false;

  async function isMyTurn(): Promise<boolean> {
    if (signal.aborted) return false;
    if (performance.now() - taken < KEPT_FOR) return true;
    const isMine = await takeLease(database, LEASE, holder, LEASE_SECONDS);
    taken = isMine ? performance.now() : Number.NEGATIVE_INFINITY;
    return isMine;
  }

  async function look(before: Progress | undefined): Promise<Progress | undefined> {
    const { size } = await readHead(kysely);
    const now = v.clock();
    const from = before?.size ?? (await oldestLive(kysely, project, now)) ?? size;
    const touched = (await hasMoved(kysely, project, from))
      ? await touchedIdentities(kysely, project, { liveAt: now, from })
      : [];
    const moved = new Map<ChainKey, number | null>(touched.map(({ key, index }) => [key, index]));
    const due = [...(before?.ends ?? [])].filter(([, end]) => end <= now).map(([digest]) => digest);
    for (const key of before === undefined ? [PROJECT_CHAIN] : due) moved.set(key, moved.get(key) ?? null);
    if (moved.size === 0) return { size, ends: before?.ends ?? new Map() };
    const found = await sweepIdentities(v, project, moved, isMyTurn);
    if (found === undefined) return undefined;
    const kept = [...(before?.ends ?? [])].filter(([key]) => !moved.has(key) && !moved.has(PROJECT_CHAIN));
    return { size, ends: new Map([...kept, ...found]) };
  }

  let progress: Progress | undefined;
  while (!signal.aborted) {
    const begun = performance.now();
    try {
      progress = (await isMyTurn()) ? await look(progress) : undefined;
      isFailing = false;
    } catch (cause) {
      // That the database is away is told by who follows the log. What was not looked at is looked at again.
      if (!isFailing && !hasCode(cause, "unavailable")) {
        v.report("live identities could not be decided anew", cause);
      }
      isFailing = true;
    }
    const took = performance.now() - begun;
    await rest(progress === undefined || isFailing ? LOOK : Math.max(took, PACE), signal);
    if (progress !== undefined && !isFailing)
      await grownBeyond(v, progress.size, LOOK, signal).catch(() => undefined);
  }
  if (progress !== undefined) await dropLease(database, LEASE, holder).catch(() => undefined);
}

async function rest(time: number, signal: AbortSignal): Promise<void> {
  await sleep(time, undefined, { signal }).catch(() => undefined);
}
