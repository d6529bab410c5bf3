import { requireSignedBy } from "../../custody/log-signers.ts";
import { readHead } from "../../db/log.ts";
import { hasCode } from "../../errors.ts";
import type { Vouchsafe } from "../context.ts";
import { setObstacle } from "./obstacles.ts";

const OBSTACLE = "log-keys";

/**
 * Looks whether the log is still signed with this node's keys. Where another node has changed them this one can add
 * nothing until it is started again, and says so before a caller has to find out.
 */
export async function watchLogKeys(v: Vouchsafe): Promise<void> {
  try {
    requireSignedBy(await readHead(v.database.kysely), v.log.signers);
    setObstacle(v, OBSTACLE, undefined);
  } catch (error) {
    // That the database is away is told by who follows the log.
    if (!hasCode(error, "log-key-mismatch")) return;
    setObstacle(v, OBSTACLE, error);
  }
}

/** Whether other keys sign the log than this node's. */
export function lagsBehindKeys({ obstacles }: Pick<Vouchsafe, "obstacles">): boolean {
  return obstacles.has(OBSTACLE);
}
