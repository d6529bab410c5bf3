import { setTimeout as sleep } from "node:timers/promises";
import type { ChainKey } from "../../custody/events.ts";
import { hasMoved, touchedIdentities } from "../../db/identities.ts";
import { readHead } from "../../db/log.ts";
import { requesterName } from "../../policy/workload-policy.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { grownBeyond } from "../log/log-growth.ts";
import { requesterOf } from "./requester.ts";

export interface IdentityChange {
  /** The log size up to which it was looked. */
  readonly asOf: number;
  /** Digests of the requester's live identities that events were about; `*` where one concerns all. */
  readonly touched: readonly ChainKey[];
}

/** How long a watch waits for something to happen, in milliseconds: less than the idle timeout of usual proxies. */
const PATIENCE = 25_000;
/** However much is appended, each watch looks no more often than this, in milliseconds. */
const PACE = 200;

/**
 * Resolves once an event from log index `after` on may have changed what the requester's live identities rest on:
 * they are to be asked for again. Without `after`, at once, with the size to go on from.
 */
export async function watchIdentities(
  v: Vouchsafe,
  caller: Caller,
  after: number | undefined,
  signal: AbortSignal,
): Promise<IdentityChange> {
  const { kysely } = v.database;
  const requester = requesterName(requesterOf(caller));
  const deadline = performance.now() + PATIENCE;
  for (let from = after; ; ) {
    // The size is read first: an event that is committed meanwhile is looked at again by the next watch.
    const { size: asOf } = await readHead(kysely);
    if (from === undefined) return { asOf, touched: [] };
    const looked = performance.now();
    const touched = (await hasMoved(kysely, caller.project, from))
      ? await touchedIdentities(kysely, caller.project, { requester, liveAt: v.clock(), from })
      : [];
    // What was granted since then was decided after it.
    from = asOf;
    const left = deadline - performance.now();
    if (touched.length > 0 || left <= 0 || signal.aborted)
      return { asOf, touched: touched.map(({ key }) => key) };
    await grownBeyond(v, asOf, left, signal);
    // What happens after a quiet time is looked at at once.
    await sleep(Math.max(0, looked + PACE - performance.now()));
  }
}
