import { hasCode } from "../../errors.ts";
import type { Vouchsafe } from "../context.ts";

/** Resolves when the log has grown beyond this size, when the time (milliseconds) is over, or when nobody waits any longer. */
export async function grownBeyond(
  { projection }: Pick<Vouchsafe, "projection">,
  size: number,
  time: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    await projection.caughtUp(size + 1, time, signal);
  } catch (error) {
    if (!hasCode(error, "stale")) throw error;
  }
}
