import type { PackCheck, PackStatus } from "../custody/pack/report.ts";
import { KEY_REPLACED } from "./arguments/log-key.ts";
import type { Mark, Terminal } from "./output/terminal.ts";

/** What does not hold comes last: of thousands of lines the last are those that are seen. */
const MARKS = [
  ["holds", "good"],
  ["not-re-verifiable", "plain"],
  ["fails", "bad"],
] as const satisfies readonly (readonly [PackStatus, Mark])[];

/** The last sentence is the one to quote. It counts, so that what could not be verified again is not passed over. */
export function printChecks(
  terminal: Terminal,
  what: string,
  { ok, checks }: { readonly ok: boolean; readonly checks: readonly PackCheck[] },
): void {
  for (const [status, mark] of MARKS) {
    for (const { statement } of checks.filter((check) => check.status === status))
      terminal.print(`${status} ${statement}`, mark);
  }
  const count = (status: PackStatus) => checks.filter((check) => check.status === status).length;
  terminal.print(
    `The ${what} ${ok ? "holds" : "does not hold"}. Of ${checks.length} checks ${count("holds")} hold, ` +
      `${count("fails")} fail, and ${count("not-re-verifiable")} cannot be verified again.`,
  );
  if (checks.some(({ check, status }) => check === "checkpoint" && status === "fails"))
    terminal.note(KEY_REPLACED);
}
