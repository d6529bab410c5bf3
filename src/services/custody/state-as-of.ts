import { digestIn } from "../../custody/body-fields.ts";
import { type LogEvent, PROJECT_CHAIN, type ProjectId } from "../../custody/events.ts";
import type { LogHead } from "../../custody/log-store.ts";
import { type Quarantine, quarantinesAfter } from "../../custody/quarantines.ts";
import { inForceAfter, NOTHING_IN_FORCE } from "../../custody/references.ts";
import { type Revocation, revocationsAfter } from "../../custody/revocations.ts";
import { readChain, readHead } from "../../db/log.ts";
import { sizeAtTime, timeOfEntry } from "../../db/log-time.ts";
import { VouchsafeError } from "../../errors.ts";
import type { PolicySet } from "../../policy/load.ts";
import type { TrustSnapshot } from "../../trust/snapshot.ts";
import { parseUtcTime } from "../../utc-time.ts";
import type { Vouchsafe } from "../context.ts";

/** A log size, or a time in milliseconds since the epoch. */
export type AsOf =
  | { readonly case: "size"; readonly size: number }
  | { readonly case: "time"; readonly time: number };

/** What was in force when the log had `size` entries, and the time at which that is asked about. */
export interface StateAsOf {
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Undefined where none was active. */
  readonly policySet: PolicySet | undefined;
  readonly trust: TrustSnapshot | undefined;
  /** Trust hashes under which a pass held: the active snapshot's and those that it only added to. */
  readonly holding: ReadonlySet<string>;
  readonly revocations: readonly Revocation[];
  /** Those by rule. */
  readonly quarantines: readonly Quarantine[];
}

/**
 * A log size as a number or its digits, or a time as text (RFC 3339, UTC).
 *
 * @throws VouchsafeError `invalid-request`
 */
export function readAsOf(value: number | string): AsOf {
  if (typeof value === "number") return { case: "size", size: value };
  if (/^[1-9][0-9]{0,14}$/.test(value)) return { case: "size", size: Number(value) };
  const time = parseUtcTime(value);
  if (time === undefined)
    throw new VouchsafeError(
      "invalid-request",
      "asOf is no log size and no time such as 2026-03-01T12:00:00Z",
    );
  return { case: "time", time };
}

/**
 * The state of a project now, or as the log tells it of the past.
 *
 * @throws VouchsafeError `invalid-request` for a size that the log does not have, and for a time to come
 */
export async function stateAsOf(
  v: Vouchsafe,
  project: ProjectId,
  asOf: AsOf | undefined,
): Promise<StateAsOf> {
  const { size, now } = await placeOf(v, asOf);
  const wide = await readChain(v.database.kysely, project, PROJECT_CHAIN, { below: size });
  const inForce = wide.reduce(inForceAfter, NOTHING_IN_FORCE);
  return {
    size,
    now,
    policySet:
      inForce.policyDocument === null
        ? undefined
        : await v.documents.policies(project, inForce.policyDocument),
    trust: inForce.trust === null ? undefined : await v.documents.trust(project, inForce.trust),
    holding: new Set(wide.reduce(holdingAfter, [])),
    revocations: [...wide.reduce(revocationsAfter, new Map()).values()],
    quarantines: [...wide.reduce(quarantinesAfter, new Map()).values()],
  };
}

/**
 * Where in the log that is: its size then, and the time at which is asked.
 *
 * @throws VouchsafeError `invalid-request` for a size that the log does not have, and for a time to come
 */
export async function placeOf(
  v: Vouchsafe,
  asOf: AsOf | undefined,
): Promise<{ readonly head: LogHead; readonly size: number; readonly now: number }> {
  const db = v.database.kysely;
  const head = await readHead(db);
  const { size } = head;
  if (asOf === undefined) return { head, size, now: v.clock() };
  if (asOf.case === "time") {
    if (asOf.time > v.clock()) throw new VouchsafeError("invalid-request", "The time is still to come");
    return { head, size: await sizeAtTime(db, asOf.time, size), now: asOf.time };
  }
  if (asOf.size > size || asOf.size < 1) {
    throw new VouchsafeError("invalid-request", `The log's sizes so far are 1 to ${size}`);
  }
  return { head, size: asOf.size, now: await timeOfEntry(db, asOf.size - 1) };
}

function holdingAfter(before: readonly string[], { type, body }: LogEvent): readonly string[] {
  if (type !== "trust.activated") return before;
  const trust = digestIn(body, "trust");
  return body.extendsPrevious === true ? [trust, ...before] : [trust];
}
