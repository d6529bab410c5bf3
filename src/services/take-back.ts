import type { ChainKey, EventType } from "../custody/events.ts";
import type { Receipt } from "../custody/receipt.ts";
import { readHead } from "../db/log.ts";
import type { Digest, JsonObject } from "../in-toto-attestation/types.ts";
import { appendFresh, onlyEvent } from "./append.ts";
import type { Caller } from "./caller.ts";
import type { Vouchsafe } from "./context.ts";

/** What is taken back, by an event of which type, and why. */
export interface TakingBack {
  readonly type: Extract<
    EventType,
    | "quarantine.lifted"
    | "approval.withdrawn"
    | "exception.withdrawn"
    | "revocation.withdrawn"
    | "hold.released"
  >;
  readonly id: string;
  readonly reason: string;
}

/** What stands, and in which chains: none of them may have moved when its end is recorded there. */
export interface Standing {
  readonly chains: readonly ChainKey[];
  /** What the body names besides id, reason and caller. */
  readonly body?: JsonObject;
}

/**
 * Ends what stands: a quarantine, an approval, an exception, a revocation or a hold.
 *
 * @param find reads it; throws where it does not stand, or is not the caller's to take back
 * @throws VouchsafeError what `find` throws
 */
export async function takeBack(
  v: Vouchsafe,
  { project, token }: Caller,
  { type, id, reason }: TakingBack,
  find: () => Promise<Standing>,
): Promise<{ readonly id: string; readonly receipt: Receipt }> {
  const { committed } = await appendFresh(v, async () => {
    const { size } = await readHead(v.database.kysely);
    const { chains, body: named } = await find();
    const body = { id, ...named, reason, caller: token };
    return {
      proposal: { project, asOf: size, restsOn: chains, events: [{ type, about: chains, body }] },
    };
  });
  return { id, receipt: onlyEvent(committed).receipt };
}

/** What stands in the chain of one artifact, which its events name. */
export function standingIn({ artifact }: { readonly artifact: Digest }): Standing {
  return { chains: [artifact], body: { artifact } };
}
