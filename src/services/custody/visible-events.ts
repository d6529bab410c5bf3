import type { EventType } from "../../custody/events.ts";
import { VouchsafeError } from "../../errors.ts";
import type { Caller } from "../caller.ts";

/**
 * What issuers may follow: what changes the answers that they get, and what other routes tell them of it. Who else was granted
 * something, and who runs what where, is not theirs.
 */
const FOR_ISSUERS: readonly EventType[] = [
  "policy.activated",
  "verdict.passed",
  "verdict.failed",
  "approval.granted",
  "approval.withdrawn",
  "exception.granted",
  "exception.withdrawn",
  "quarantine.opened",
  "quarantine.lifted",
  "evidence.revoked",
  "revocation.withdrawn",
  "identity.revoked",
];

/**
 * Refuses a caller events that it may not see. Auditors and operators see all of their project. Others must name the types: a part of
 * the events is never taken for all of them by who holds the log to what it is told.
 *
 * @throws VouchsafeError `forbidden`
 */
export function requireVisible({ roles }: Caller, types: readonly EventType[] | undefined): void {
  if (roles.includes("auditor") || roles.includes("operator")) return;
  if (types?.every((type) => FOR_ISSUERS.includes(type))) return;
  throw new VouchsafeError("forbidden", `An issuer names the types of events, of ${FOR_ISSUERS.join(", ")}`, {
    extensions: { types: FOR_ISSUERS },
  });
}
