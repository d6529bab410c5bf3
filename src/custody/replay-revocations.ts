import { textIn } from "./body-fields.ts";
import { type LogEvent, PROJECT_CHAIN } from "./events.ts";
import { refuseUnless } from "./pack-report.ts";
import { parseTarget, targetText } from "./revocation-target.ts";
import type { Standing } from "./standing.ts";

/** It concerns the whole project, for it reaches evidence that comes later. Each id is used once. */
export function replayRevocation({ about, body }: LogEvent, { revocations }: Standing): string {
  const id = textIn(body, "id");
  const target = parseTarget(body.target);
  refuseUnless(about.includes(PROJECT_CHAIN), "it is not one of the project's wide events");
  refuseUnless(!revocations.has(id), "a revocation of this id stands");
  return `evidence was revoked by ${targetText(target)}: ${textIn(body, "reason")} (${id}).`;
}

export function replayWithdrawal({ about, body }: LogEvent, { revocations }: Standing): string {
  const id = textIn(body, "id");
  refuseUnless(about.includes(PROJECT_CHAIN), "it is not one of the project's wide events");
  refuseUnless(revocations.has(id), "no such revocation stood");
  return `the revocation ${id} was withdrawn: ${textIn(body, "reason")}.`;
}
