import { randomUUID } from "node:crypto";
import { findStandingHold, standingHolds } from "../../db/retention.ts";
import { VouchsafeError } from "../../errors.ts";
import { parseDigest } from "../../in-toto-attestation/digest.ts";
import { appendFresh, onlyEvent } from "../append.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { standingIn, takeBack } from "../take-back.ts";

/**
 * Keeps the evidence about an artifact, and about all that its verdicts have rested on, for as long as the hold stands, whatever
 * its retention class says. Several may stand at once. When this resolves, nothing of that can be deleted any more.
 *
 * @throws VouchsafeError `malformed-digest`
 */
export async function placeHold(
  v: Vouchsafe,
  { project, token }: Caller,
  { artifact: text, reason }: { readonly artifact: string; readonly reason: string },
) {
  const artifact = parseDigest(text);
  const id = randomUUID();
  const body = { id, artifact, reason, caller: token };
  const { committed } = await appendFresh(v, async () => ({
    proposal: {
      project,
      asOf: v.projection.size,
      restsOn: [],
      events: [{ type: "hold.placed", about: [artifact], body }],
    },
  }));
  return { id, artifact, reason, receipt: onlyEvent(committed).receipt };
}

/** @throws VouchsafeError `not-found` when it does not stand */
export async function releaseHold(
  v: Vouchsafe,
  caller: Caller,
  { id, reason }: { readonly id: string; readonly reason: string },
) {
  return takeBack(v, caller, { type: "hold.released", id, reason }, async () => {
    const hold = await findStandingHold(v.database.kysely, caller.project, id);
    if (!hold) throw new VouchsafeError("not-found", `No hold ${id} stands`);
    return standingIn(hold);
  });
}

/** Those that stand. */
export async function listHolds(v: Vouchsafe, { project }: Caller) {
  return { holds: await standingHolds(v.database.kysely, project) };
}
