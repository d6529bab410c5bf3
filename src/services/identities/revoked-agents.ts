import { findAgent } from "../../db/agents.ts";
import { VouchsafeError } from "../../errors.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";

/**
 * Holds an agent that asks to its certificate still being taken. For what is decided again under the lock of the log's
 * head: read after the size that the proposal names, as it rests on the project's wide chain.
 *
 * @throws VouchsafeError `agent-proof-invalid`
 */
export async function refuseRevoked(v: Vouchsafe, { agent }: Caller): Promise<void> {
  if (agent !== undefined && (await findAgent(v.database.kysely, agent.serial))?.revoked) throw revoked();
}

export function revoked(): VouchsafeError {
  return new VouchsafeError("agent-proof-invalid", "This agent was revoked: it must join again");
}
