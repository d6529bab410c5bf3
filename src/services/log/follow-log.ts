import type { Database } from "../../db/connection.ts";
import { LOG_CHANNEL } from "../../db/log-store.ts";
import type { Projection } from "../../decisions/projection.ts";
import type { Vouchsafe } from "../context.ts";

/** How often the log is read although nothing was announced, in milliseconds: a lost notification costs no more. */
const POLL = 1_000;

/**
 * Follows the log by notifications, and by the clock in case one is lost. Resolves when it has caught up, with what
 * ends it.
 */
export async function followLog(
  database: Database,
  projection: Projection,
  report: Vouchsafe["report"],
): Promise<() => Promise<void>> {
  let lost = false;
  let following = projection.follow();
  await following;
  const follow = () => {
    following = projection.follow().then(
      () => {
        lost = false;
      },
      (cause: unknown) => {
        if (!lost) report("the log cannot be followed; answers go stale", cause);
        lost = true;
      },
    );
  };
  const stopListening = await database.listen(LOG_CHANNEL, follow);
  const timer = setInterval(follow, POLL);
  return async () => {
    clearInterval(timer);
    await stopListening();
    await following;
  };
}
