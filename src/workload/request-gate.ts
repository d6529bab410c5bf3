import { VouchsafeError } from "../errors.ts";
import type { IdentitySource } from "./identity-source.ts";

/** Runs what it is given, at most so many at once; the others wait their turn. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

/** Throws `VouchsafeError` (`unavailable`) when as many wait as may. */
export function openGate({ atOnce, waiting }: { readonly atOnce: number; readonly waiting: number }): Gate {
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

/**
 * For all workloads of a host together: a policy that changes has each of them ask at once, and so has a server that
 * is back. As fast as it answers, it is asked again.
 */
const REQUESTS = { atOnce: 16, waiting: 8192 };

/** The same source, asked for so many grants at once and no more. Bundles and changes have a way of their own. */
export function gated(source: IdentitySource): IdentitySource {
  const gate = openGate(REQUESTS);
  return {
    fetchX509: (...asked) => gate(() => source.fetchX509(...asked)),
    fetchJwt: (...asked) => gate(() => source.fetchJwt(...asked)),
    bundle: () => source.bundle(),
    federation: () => source.federation(),
    federatesWith: (workload) => gate(() => source.federatesWith(workload)),
    registrations: () => source.registrations(),
    watch: (...asked) => source.watch(...asked),
  };
}
