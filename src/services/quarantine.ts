import { randomUUID } from "node:crypto";
import { findQuarantine, openQuarantines } from "../db/quarantines.ts";
import { VouchsafeError } from "../errors.ts";
import { parseDigest } from "../in-toto-attestation/digest.ts";
import { appendFresh, onlyEvent } from "./append.ts";
import type { Caller } from "./caller.ts";
import type { Vouchsafe } from "./context.ts";
import { standingIn, takeBack } from "./take-back.ts";

/** Denies a digest from the commit of this event on, whatever its verdicts say. Several may stand at once. */
export async function openQuarantine(
  v: Vouchsafe,
  { project, token }: Caller,
  request: { readonly artifact: string; readonly reason: string },
) {
  const artifact = parseDigest(request.artifact);
  const { reason } = request;
  const id = randomUUID();
  const { committed } = await appendFresh(v, async () => ({
    proposal: {
      project,
      asOf: v.projection.size,
      restsOn: [],
      events: [
        { type: "quarantine.opened", about: [artifact], body: { id, artifact, reason, caller: token } },
      ],
    },
  }));
  return { id, artifact, reason, receipt: onlyEvent(committed).receipt };
}

/** @throws VouchsafeError `not-found` when it is not open */
export async function liftQuarantine(
  v: Vouchsafe,
  caller: Caller,
  { id, reason }: { readonly id: string; readonly reason: string },
) {
  return takeBack(v, caller, { type: "quarantine.lifted", id, reason }, async () => {
    const quarantine = await findQuarantine(v.database.kysely, caller.project, id);
    if (!quarantine || quarantine.liftedIndex !== undefined) {
      throw new VouchsafeError("not-found", `No quarantine ${id} is open`);
    }
    return standingIn(quarantine);
  });
}

export async function listQuarantines(v: Vouchsafe, { project }: Caller) {
  const quarantines = await openQuarantines(v.database.kysely, project);
  return {
    quarantines: quarantines.map(({ id, artifact, reason, openedIndex }) => ({
      id,
      artifact,
      reason,
      index: openedIndex,
    })),
  };
}
