import { textIn } from "../body-fields.ts";
import type { LogEvent } from "../events.ts";
import { refuseUnless } from "../pack/report.ts";
import { refuseUnlessWide } from "./replay.ts";
import type { Standing } from "./standing.ts";

/** Told: that nothing was allowed meanwhile is shown where something was. Two who suspend at once both do. */
export function replaySuspension(event: LogEvent): string {
  refuseUnlessWide(event);
  return `the project was suspended: ${textIn(event.body, "reason")}.`;
}

export function replayResumption(event: LogEvent, { inForce }: Standing): string {
  refuseUnlessWide(event);
  refuseUnless(inForce.isSuspended, "the project was not suspended");
  return `the project was resumed: ${textIn(event.body, "reason")}.`;
}
