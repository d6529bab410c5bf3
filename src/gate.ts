import { VouchsafeError } from "./errors.ts";

/** Runs what it is given, at most so many at once; the others wait their turn. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

export interface GateLimits {
  readonly atOnce: number;
  /** Absent: as many as there are, where what makes them is bounded. */
  readonly waiting?: number;
}

/** Throws `VouchsafeError` (`unavailable`) when as many wait as may. */
export function openGate({ atOnce, waiting = Number.POSITIVE_INFINITY }: GateLimits): Gate {
  const queue: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running < atOnce) running += 1;
    else if (queue.length >= waiting)
      throw new VouchsafeError("unavailable", "Too many requests wait; ask again");
    // Whoever ends hands the place on, so that nobody takes it in between.
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
