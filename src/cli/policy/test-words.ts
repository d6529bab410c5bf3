import { decisiveChecks } from "../../policy/evaluation/decisive.ts";
import type { Expected } from "../../policy/test-file.ts";
import { printChecks } from "../output/findings.ts";
import type { Terminal } from "../output/terminal.ts";
import type { Session } from "../session.ts";
import type { RanCase } from "./test-run.ts";

/** How many failed checks of a case are shown. */
const MOST_CHECKS = 12;

/** Tells how the cases went: as data, or a line each, with the checks of those that went otherwise. */
export function tellTests(
  ran: readonly RanCase[],
  { terminal, json }: Pick<Session, "terminal" | "json">,
): void {
  const failed = ran.filter(({ passed }) => !passed).length;
  if (json) {
    terminal.printJson({ passed: ran.length - failed, failed, cases: ran.map(reportOf) });
    return;
  }
  for (const [file, cases] of Map.groupBy(ran, ({ file }) => file)) {
    terminal.print(file);
    for (const one of cases) printCase(terminal, one);
  }
  const count = ran.length === 1 ? "1 case" : `${ran.length} cases`;
  if (failed === 0) terminal.print(`passed ${count}`, "good");
  else terminal.print(`failed ${failed} of ${count}`, "bad");
}

function printCase(terminal: Terminal, { test, passed, found, evaluation, refused, file }: RanCase): void {
  const { expected, name, line } = test;
  const [good, bad] = terminal.showsSymbols ? ["✓", "✗"] : ["ok", "not ok"];
  if (passed) {
    terminal.print(`  ${good} ${name}: ${text(found)}`, "good");
    return;
  }
  terminal.print(
    `  ${bad} ${name}: expected ${text(expected)}; found ${text(found)} (${file}:${line})`,
    "bad",
  );
  for (const one of refused)
    terminal.print(`      ${one.file} does not verify: ${one.message} (${one.code})`);
  if (found.outcome === "allow") return;
  printChecks(terminal, decisiveChecks(evaluation), "      ", MOST_CHECKS);
}

function text({ outcome, failing }: Expected): string {
  return outcome === "allow" ? "allow" : `deny by ${failing.join(", ")}`;
}

function reportOf({ file, policy, test, passed, found, refused, evaluation }: RanCase) {
  const { name, line, expected } = test;
  return { file, line, policy, name, passed, expected, found, refused, checks: evaluation.checks };
}
