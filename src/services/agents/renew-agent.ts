import { VouchsafeError } from "../../errors.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { refuseRevoked } from "../identities/revoked-agents.ts";
import { certifyAgent } from "./join-agent.ts";

/**
 * Gives an agent, which proved itself by the certificate that it has, the next one: for the same name, of the key
 * of the request. The earlier one holds until it ends. An agent that is revoked while it renews gets none, whichever of
 * both is committed first: a renewal before it is revoked too.
 *
 * @throws VouchsafeError `invalid-csr`; `forbidden` for a bearer token
 */
export async function renewAgent(v: Vouchsafe, caller: Caller, { csr }: { readonly csr: string }) {
  const { agent } = caller;
  if (agent === undefined) {
    throw new VouchsafeError(
      "forbidden",
      "A certificate is renewed with the agent's proof, not with a token",
    );
  }
  return certifyAgent(v, caller.project, csr, async () => {
    await refuseRevoked(v, caller);
    return { agent: agent.spiffeId, body: { token: null, renews: agent.serial } };
  });
}
