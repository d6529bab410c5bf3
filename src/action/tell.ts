import type { PushResult } from "../cli/evidence/push-files.ts";
import { UsageError } from "../cli/usage-error.ts";
import { ApiError } from "../client/api-error.ts";
import type { Runner } from "./runner.ts";
import {
  digestShown,
  failureSummary,
  isAllowed,
  type Judged,
  NO_DECISION,
  nearestMiss,
  whereOf,
} from "./summary.ts";

const TITLE = "Vouchsafe";

export function tellPushed(result: PushResult, runner: Runner): void {
  if (result.status === "refused") {
    runner.annotate(
      "error",
      `${TITLE}: evidence refused`,
      `${whereOf(result)}: ${result.detail} (${result.code})`,
    );
    return;
  }
  const what = "manifest" in result ? `manifest of ${result.manifest.digest}` : result.attestation.id;
  const { index } = "manifest" in result ? result.manifest.receipt : result.receipt;
  runner.log(`${result.status} ${whereOf(result)}: ${what}, log index ${index}`);
}

export function tellJudged(judged: Judged, isFatal: boolean, runner: Runner): void {
  const { name, decision } = judged;
  const digest = digestShown(judged);
  if (isAllowed(judged)) {
    const audited = decision?.enforced === false ? ", by policies in audit mode alone" : "";
    runner.log(`allow ${name} ${digest}${audited}`);
    return;
  }
  const why = nearestMiss(decision) ?? NO_DECISION;
  runner.annotate(isFatal ? "error" : "warning", `${TITLE}: denied`, `${name} (${digest}): ${why}`);
}

/** What to do next, for codes of which the server's message alone does not say it to the author of a workflow. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ["unreachable", "Is `server` right, and may this runner reach it?"],
  [
    "unauthenticated",
    "The project needs an AccessPolicy that takes this workflow's token, for the audience that `audience` or `server` says.",
  ],
  ["forbidden", "The AccessPolicy that takes this workflow must give it the role `uploader`."],
  ["policy-not-allowed", "Leave `policy` out, or have the AccessPolicy say `mayChoosePolicy: true`."],
]);

/** Says in the log and the summary why the step could not be done. Throws what is a bug of ours. */
export function tellFailure(error: unknown, runner: Runner): void {
  if (!(error instanceof UsageError) && !(error instanceof ApiError)) throw error;
  const advice = error instanceof ApiError ? ADVICE.get(error.code) : undefined;
  const code = error instanceof ApiError ? ` (${error.code})` : "";
  const said = `${error.message}${code}${advice === undefined ? "" : `. ${advice}`}`;
  runner.annotate("error", TITLE, said);
  runner.summarize(failureSummary(said));
}
