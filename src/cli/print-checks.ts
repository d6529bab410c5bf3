import type { PackCheck, PackStatus } from "../custody/pack-report.ts";
import type { Terminal } from "./terminal.ts";

const MARKS = { holds: "good", fails: "bad", "not-re-verifiable": "plain" } as const;

/** The last sentence is the one to quote. It counts, so that what could not be verified again is not passed over. */
export function printChecks(
  terminal: Terminal,
  what: string,
  { ok, checks }: { readonly ok: boolean; readonly checks: readonly PackCheck[] },
): void {
  for (const { status, statement } of checks) terminal.print(`${status} ${statement}`, MARKS[status]);
  const count = (status: PackStatus) => checks.filter((check) => check.status === status).length;
  terminal.print(
    `The ${what} ${ok ? "holds" : "does not hold"}. Of ${checks.length} checks ${count("holds")} hold, ` +
      `${count("fails")} fail, and ${count("not-re-verifiable")} cannot be verified again.`,
  );
}
