import { openGate } from "../gate.ts";
import type { IdentitySource } from "./identity-source.ts";

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
