import type { EventType } from "../custody/events.ts";
import type { Receipt } from "../custody/receipt.ts";
import { readHead } from "../db/log.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { appendFresh, onlyEvent } from "./append.ts";
import type { Caller } from "./caller.ts";
import type { Vouchsafe } from "./context.ts";

/** What is taken back, by an event of which type, and why. */
export interface TakingBack {
  readonly type: Extract<
    EventType,
    "quarantine.lifted" | "approval.withdrawn" | "exception.withdrawn" | "hold.released"
  >;
  readonly id: string;
  readonly reason: string;
}

/**
 * Ends what stands in an artifact's chain: a quarantine, an approval, an exception or a hold.
 *
 * @param find reads it; throws where it does not stand, or is not the caller's to take back
 * @throws VouchsafeError what `find` throws
 */
export async function takeBack(
  v: Vouchsafe,
  { project, token }: Caller,
  { type, id, reason }: TakingBack,
  find: () => Promise<{ readonly artifact: Digest }>,
): Promise<{ readonly id: string; readonly receipt: Receipt }> {
  const { committed } = await appendFresh(v, async () => {
    const { size } = await readHead(v.database.kysely);
    const { artifact } = await find();
    const body = { id, artifact, reason, caller: token };
    return {
      proposal: { project, asOf: size, restsOn: [artifact], events: [{ type, about: [artifact], body }] },
    };
  });
  return { id, receipt: onlyEvent(committed).receipt };
}
