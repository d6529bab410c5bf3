import { findQuarantine, openQuarantines } from "../db/quarantines.ts";
import { VouchsafeError } from "../errors.ts";
import type { Caller } from "./caller.ts";
import type { Vouchsafe } from "./context.ts";
import { place } from "./place.ts";
import { standingIn, takeBack } from "./take-back.ts";

/** Denies a digest from the commit of this event on, whatever its verdicts say. Several may stand at once. */
export async function openQuarantine(
  v: Vouchsafe,
  caller: Caller,
  request: { readonly artifact: string; readonly reason: string },
) {
  return place(v, caller, "quarantine.opened", request);
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
