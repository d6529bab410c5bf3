import { textIn } from "../body-fields.ts";
import type { LogEvent } from "../events.ts";
import { refuseUnless } from "../pack/report.ts";
import { parseTarget, targetText } from "../revocation-target.ts";
import { refuseUnlessWide } from "./replay.ts";
import type { Standing } from "./standing.ts";

/** It concerns the whole project, for it reaches evidence that comes later. Each id is used once. */
export function replayRevocation(event: LogEvent, { revocations }: Standing): string {
  const { body } = event;
  const id = textIn(body, "id");
  const target = parseTarget(body.target);
  refuseUnlessWide(event);
  refuseUnless(!revocations.has(id), "a revocation of this id stands");
  return `evidence was revoked by ${targetText(target)}: ${textIn(body, "reason")} (${id}).`;
}

export function replayWithdrawal(event: LogEvent, { revocations }: Standing): string {
  const { body } = event;
  const id = textIn(body, "id");
  refuseUnlessWide(event);
  refuseUnless(revocations.has(id), "no such revocation stood");
  return `the revocation ${id} was withdrawn: ${textIn(body, "reason")}.`;
}
