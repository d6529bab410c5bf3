import { VouchsafeError } from "../../errors.ts";
import type { Requester } from "../../policy/workload-policy.ts";
import type { Caller } from "../caller.ts";

/**
 * As whom a caller asks for identities.
 *
 * @throws VouchsafeError `forbidden` for a join token, which is for joining only
 */
export function requesterOf({ agent, name, roles }: Caller): Requester {
  if (agent !== undefined) return { case: "agent", spiffeId: agent.spiffeId };
  if (roles.includes("issuer")) return { case: "issuer", name };
  throw new VouchsafeError("forbidden", "A join token is for POST /agents; ask with the agent's proof");
}
