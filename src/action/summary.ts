import type { PushResult } from "../cli/evidence/push-files.ts";
import type { Decision } from "../client/types.ts";
import { code, link, literal, table } from "./markdown.ts";
import type { Subject } from "./subjects.ts";

/** A subject and what the server said of it, if it did. */
export interface Judged extends Subject {
  readonly decision?: Decision;
}

/** What is beyond this is counted, and stands in the log. */
const MOST_ROWS = 100;
const MOST_DENIALS = 20;
const MOST_CHECKS = 10;
const LONGEST_SENTENCE = 2_000;
const MOST_BYTES = 1_000_000;

export const NO_DECISION = "there is no decision on it: it is named by no sha256, sha384 or sha512 digest";

export function isAllowed({ decision }: Judged): boolean {
  return decision?.decision === "allow";
}

/** The digest that the decision is about, where there is one. */
export function digestShown({ digests: [first], decision }: Judged): string {
  return decision?.digest ?? first;
}

export function whereOf({ file, item }: PushResult): string {
  return item === undefined ? file : `${file}:${item}`;
}

/** The first thing that a denial says was missing. */
export function nearestMiss(decision: Decision | undefined): string | undefined {
  const [reason] = decision?.reasons ?? [];
  if (reason === undefined) return undefined;
  const check = reason.checks?.find(({ passed }) => !passed);
  return check === undefined
    ? `${reason.message} (${reason.code})`
    : `${reason.message}: ${check.check}: expected ${check.expected}; found ${check.actual}`;
}

/** The job's summary, in Markdown: nothing in it that came from outside is anything but text. */
export function summaryOf({
  server,
  pushed,
  judged,
}: {
  readonly server: string;
  readonly pushed: readonly PushResult[];
  readonly judged: readonly Judged[];
}): string {
  const denied = judged.filter((one) => !isAllowed(one));
  const verdict = judged.length === 0 ? "nothing asked" : denied.length === 0 ? "✅ allowed" : "❌ denied";
  return fitting([
    `## Vouchsafe: ${verdict}`,
    ...(judged.length > 0 ? [subjectTable(judged, server)] : ["No subject was asked about."]),
    ...denied.slice(0, MOST_DENIALS).map(whyDenied),
    ...more(denied.length - MOST_DENIALS, "denied"),
    ...(pushed.length > 0 ? ["### Evidence", evidenceTable(pushed)] : []),
    `<sub>${code(`vouchsafe custody show DIGEST --server ${server}`)} shows a chain of custody in the terminal.</sub>`,
  ]);
}

/** The runner drops a summary of more than 1 MiB whole: the last sections are left out instead. */
function fitting(sections: readonly string[]): string {
  let left = MOST_BYTES;
  const shown = sections.filter((section) => {
    left -= Buffer.byteLength(section);
    return left >= 0;
  });
  const rest = shown.length < sections.length ? ["The rest stands in the log."] : [];
  return `${[...shown, ...rest].join("\n\n")}\n`;
}

export function failureSummary(said: string): string {
  return `## Vouchsafe: ❌ not decided\n\n${literal(said, LONGEST_SENTENCE)}\n`;
}

function subjectTable(judged: readonly Judged[], server: string): string {
  const rows = judged.slice(0, MOST_ROWS).map((one) => {
    const { name, decision } = one;
    const digest = digestShown(one);
    const audited = decision?.enforced === false ? " (audit mode only)" : "";
    return [
      literal(name),
      code(digest),
      `${isAllowed(one) ? "✅ allow" : "❌ deny"}${audited}`,
      decision?.policies.map(({ policy, outcome }) => `${code(policy)} ${outcome}`).join(", ") || "–",
      String(decision?.slsaLevel ?? "–"),
      decision === undefined ? "–" : String(decision.asOf),
      link("chain", new URL(`custody/${digest}`, server.endsWith("/") ? server : `${server}/`)),
    ];
  });
  const head = ["Subject", "Digest", "Verdict", "Policies", "SLSA build level", "As of log size", "Custody"];
  return [table(head, rows), ...more(judged.length - MOST_ROWS, "subjects")].join("\n\n");
}

function whyDenied({ name, decision }: Judged): string {
  const reasons = (decision?.reasons ?? []).flatMap(({ code: reason, message, checks = [] }) => {
    const failed = checks.filter(({ passed }) => !passed);
    return [
      `- ${literal(message)} (${code(reason)})`,
      ...failed
        .slice(0, MOST_CHECKS)
        .map(
          ({ check, expected, actual }) =>
            `  - ${code(check)}: expected ${code(expected)}; found ${code(actual)}`,
        ),
      ...more(failed.length - MOST_CHECKS, "checks fail").map((line) => `  - ${line}`),
    ];
  });
  const said = reasons.length > 0 ? reasons : [`- ${NO_DECISION}`];
  return [`### Why ${literal(name)} is denied`, "", ...said].join("\n");
}

function evidenceTable(pushed: readonly PushResult[]): string {
  const rows = pushed.slice(0, MOST_ROWS).map((result) => {
    const where = literal(whereOf(result));
    if (result.status === "refused")
      return [where, "❌ refused", `${literal(result.detail)} (${code(result.code)})`, "–"];
    if ("manifest" in result)
      return [
        where,
        result.status,
        `manifest of ${code(result.manifest.digest)}`,
        `${result.manifest.receipt.index}`,
      ];
    const { attestation, receipt } = result;
    return [
      where,
      result.status,
      code(attestation.predicateType ?? attestation.mediaType),
      `${receipt.index}`,
    ];
  });
  return [
    table(["File", "Result", "What", "Log index"], rows),
    ...more(pushed.length - MOST_ROWS, "pieces of evidence"),
  ].join("\n\n");
}

function more(count: number, what: string): string[] {
  return count > 0 ? [`… and ${count} more ${what}`] : [];
}
