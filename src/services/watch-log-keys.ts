import { requireSignedBy } from "../custody/log-signers.ts";
import { readHead } from "../db/log.ts";
import { VouchsafeError } from "../errors.ts";
import type { Vouchsafe } from "./context.ts";

const OBSTACLE = "log-keys";

/**
 * Looks whether the log is still signed with this node's keys. Where another node has changed them this one can add
 * nothing until it is started again, and says so before a caller has to find out.
 */
export async function watchLogKeys({ database, log, obstacles, report }: Vouchsafe): Promise<void> {
  try {
    requireSignedBy(await readHead(database.kysely), log.signers);
    obstacles.delete(OBSTACLE);
  } catch (error) {
    // That the database is away is told by who follows the log.
    if (!(error instanceof VouchsafeError) || error.code !== "log-key-mismatch") return;
    if (!obstacles.has(OBSTACLE)) report("this node can add nothing to the log", error);
    obstacles.set(OBSTACLE, error);
  }
}

/** Whether other keys sign the log than this node's. */
export function lagsBehindKeys({ obstacles }: Pick<Vouchsafe, "obstacles">): boolean {
  return obstacles.has(OBSTACLE);
}
