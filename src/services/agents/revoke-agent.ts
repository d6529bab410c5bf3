import { PROJECT_CHAIN } from "../../custody/events.ts";
import { hasJoined } from "../../db/agents.ts";
import { readHead } from "../../db/log.ts";
import { VouchsafeError } from "../../errors.ts";
import { appendFresh, onlyEvent } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";

/**
 * Takes back every certificate that an agent has: from the commit of this event on no node takes a proof by one of
 * them, and nothing is granted or renewed for one. What the agent's workloads hold is revoked by the sweep (`identities/keep-sweeping.ts`). With a new
 * join token the agent may join again.
 *
 * The event is a wide one, so that all that is being granted meanwhile is decided anew: an event of the agent alone
 * would be missed by grants that rest on policies and digests.
 *
 * @throws VouchsafeError `not-found` for an agent that never joined
 */
export async function revokeAgent(
  v: Vouchsafe,
  { project, token }: Caller,
  { agent, reason }: { readonly agent: string; readonly reason: string },
) {
  const { committed } = await appendFresh(v, async () => {
    const { size: asOf } = await readHead(v.database.kysely);
    if (!(await hasJoined(v.database.kysely, project, agent))) {
      throw new VouchsafeError("not-found", `No agent ${agent} has joined`);
    }
    const body = { agent, reason, caller: token };
    return {
      proposal: {
        project,
        asOf,
        restsOn: [],
        events: [{ type: "agent.revoked", about: [PROJECT_CHAIN], body }],
      },
    };
  });
  return { agent, receipt: onlyEvent(committed).receipt };
}
