import { textIn } from "../body-fields.ts";
import type { LogEvent } from "../events.ts";
import { refuseUnless } from "../pack/report.ts";
import { type QuarantineTarget, quarantineText } from "../quarantine-target.ts";
import { quarantineIn } from "../quarantines.ts";
import { refuseUnlessWide, sameJson } from "./replay.ts";
import type { Standing } from "./standing.ts";

/** Of one artifact it stands in its chain alone; by a rule it concerns the whole project. Each id is used once. */
export function replayQuarantine(event: LogEvent, { quarantines }: Standing): string {
  const { id, target, reason } = quarantineIn(event);
  refuseUnlessInItsChains(event, target);
  // Else a second one, of what the artifact rests on, would take the place of the artifact's own.
  refuseUnless(!quarantines.has(id), "a quarantine of this id is open");
  const what = "artifact" in target ? target.artifact : quarantineText(target);
  return `${what} was quarantined: ${reason} (${id}).`;
}

export function replayLifting(event: LogEvent, { quarantines }: Standing): string {
  const id = textIn(event.body, "id");
  const open = quarantines.get(id);
  refuseUnless(open !== undefined, "no such quarantine was open");
  refuseUnlessInItsChains(event, open.target);
  return `the quarantine ${id} was lifted: ${textIn(event.body, "reason")}.`;
}

function refuseUnlessInItsChains(event: LogEvent, target: QuarantineTarget): void {
  if ("artifact" in target)
    refuseUnless(sameJson([...event.about], [target.artifact]), "it is about another artifact");
  else refuseUnlessWide(event);
}
