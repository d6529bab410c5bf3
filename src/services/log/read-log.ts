import { readHead } from "../../db/log.ts";
import { readPublished } from "../../db/witnesses.ts";
import { VouchsafeError } from "../../errors.ts";
import type { Vouchsafe } from "../context.ts";
import { isWitnessed } from "./cosigned-checkpoints.ts";

/** A checkpoint as it is served. */
export interface ServedCheckpoint {
  /** A C2SP signed note. */
  readonly note: string;
  /** Whether the quorum of the log's witnesses is on it; undefined where the log has none. */
  readonly witnessed: boolean | undefined;
}

/**
 * The newest checkpoint. Where the log has witnesses, the newest that was published: that of the quorum, or without
 * it when the quorum has been behind for too long. It never goes back.
 */
export async function readCheckpoint(v: Vouchsafe): Promise<ServedCheckpoint> {
  const { database, witnesses, log } = v;
  if (witnesses === undefined)
    return { note: (await readHead(database.kysely)).checkpoint, witnessed: undefined };
  const note = ((await readPublished(database.kysely)) ?? (await readHead(database.kysely))).checkpoint;
  return { note, witnessed: isWitnessed({ policy: witnesses.policy, signers: log.signers }, note) };
}

/**
 * The log size that this node has followed to, when it may decide and append.
 *
 * @throws VouchsafeError `stale` when it has not heard from the log for longer than it may, and what keeps it from
 *   adding to the log
 */
export function requireReady(v: Vouchsafe): number {
  for (const obstacle of v.obstacles.values()) throw obstacle;
  const staleness = v.projection.staleness();
  if (staleness > v.config.maxStaleness) {
    throw new VouchsafeError(
      "stale",
      "This node has lost sight of the log; look whether its database answers",
    );
  }
  return v.projection.size;
}
