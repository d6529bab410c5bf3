import { setTimeout as sleep } from "node:timers/promises";
import { type RevokedBy, revokedAsOf, revokedFrom } from "../../db/identity-revocations.ts";
import { readHead } from "../../db/log.ts";
import type { Vouchsafe } from "../context.ts";
import { grownBeyond } from "../log/log-growth.ts";
import { unlessGone } from "../log/unless-gone.ts";

/** What a reader is told. */
export type RevocationNews =
  | ({ readonly case: "revoked" } & RevokedBy)
  /** All is told that was revoked below this log size. */
  | { readonly case: "current"; readonly asOf: number };

/** Tells of revoked identities as they are recorded, on whichever node. One look at the log serves all readers of a node. */
export interface RevocationFeed {
  /**
   * First what was revoked from this log index on and has not expired, then what comes, and again and again that nothing did.
   * Whoever reads slowly is told later, and of less: nothing waits in memory.
   */
  follow(from: number, signal: AbortSignal): AsyncGenerator<RevocationNews>;
}

/** How often readers are told that all is told, in milliseconds: less than the idle timeout of usual proxies. */
const HEARTBEAT = 15_000;
/** However much is appended, it is looked no more often than this, in milliseconds. */
const PACE = 50;
/** Events told at once: up to 256 identities each. */
const PAGE = 8;

/** @param closing ends all that waits */
export function createRevocationFeed(v: Vouchsafe, closing: AbortSignal): RevocationFeed {
  const { kysely } = v.database;
  let looking: { readonly known: number; readonly over: Promise<void> } | undefined;

  /** Resolves when something was revoked beyond this log size, or after a while: one look for all who know as much. */
  function revokedBeyond(known: number): Promise<void> {
    if (looking?.known !== known) {
      const over = look(known).finally(() => {
        if (looking?.over === over) looking = undefined;
      });
      looking = { known, over };
    }
    return looking.over;
  }

  /** A database that is away is met by each reader itself, who then looks. */
  async function look(known: number): Promise<void> {
    const deadline = performance.now() + HEARTBEAT;
    try {
      for (let left = HEARTBEAT; left > 0 && !closing.aborted; left = deadline - performance.now()) {
        const { size } = v.projection;
        if ((await revokedAsOf(kysely)) > known) return;
        await grownBeyond(v, size, left, closing);
        await sleep(PACE);
      }
    } catch {
      await sleep(PACE);
    }
  }

  return {
    async *follow(from, signal) {
      // An index that the log does not have yet is of one that was set back since: what it revoked there counts no longer.
      let next = from > (await readHead(kysely)).size ? 0 : from;
      while (!signal.aborted && !closing.aborted) {
        // Sizes are read first: what is revoked meanwhile is told in the next turn.
        const asOf = v.projection.size;
        const revokedSize = await revokedAsOf(kysely);
        const page = await revokedFrom(kysely, { from: next, endingAfter: v.clock(), limit: PAGE });
        for (const one of page) yield { case: "revoked", ...one };
        next = (page.at(-1)?.index ?? next - 1) + 1;
        if (page.length === PAGE) continue;
        next = Math.max(next, revokedSize);
        yield { case: "current", asOf: Math.max(asOf, next) };
        await unlessGone(revokedBeyond(revokedSize), signal);
      }
    },
  };
}
