import { readHead } from "../db/log.ts";
import { VouchsafeError } from "../errors.ts";
import type { Vouchsafe } from "./context.ts";

/** The newest checkpoint, as a C2SP signed note. */
export async function readCheckpoint(v: Vouchsafe): Promise<string> {
  return (await readHead(v.database.kysely)).checkpoint;
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
