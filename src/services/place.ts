import { randomUUID } from "node:crypto";
import type { EventType } from "../custody/events.ts";
import type { Receipt } from "../custody/receipt.ts";
import { parseDigest } from "../in-toto-attestation/digest.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { appendFresh, onlyEvent } from "./append.ts";
import type { Caller } from "./caller.ts";
import type { Vouchsafe } from "./context.ts";

export interface Placed {
  readonly id: string;
  readonly artifact: Digest;
  readonly reason: string;
  readonly receipt: Receipt;
}

/**
 * Begins what stands in an artifact's chain, whatever else does, until it is taken back (`takeBack`): a quarantine or a
 * legal hold. Several may stand at once.
 *
 * @throws VouchsafeError `malformed-digest`
 */
export async function place(
  v: Vouchsafe,
  { project, token }: Caller,
  type: Extract<EventType, "quarantine.opened" | "hold.placed">,
  { artifact: text, reason }: { readonly artifact: string; readonly reason: string },
): Promise<Placed> {
  const artifact = parseDigest(text);
  const id = randomUUID();
  const body = { id, artifact, reason, caller: token };
  const { committed } = await appendFresh(v, async () => ({
    proposal: {
      project,
      asOf: v.projection.size,
      restsOn: [],
      events: [{ type, about: [artifact], body }],
    },
  }));
  return { id, artifact, reason, receipt: onlyEvent(committed).receipt };
}
