import type { Check, DecisionReason } from "../client/types.ts";
import type { Terminal } from "./terminal.ts";

/** Failed checks in their order, nearest miss first; those that passed are counted. */
export function printChecks(terminal: Terminal, checks: readonly Check[], indent: string): void {
  const failed = checks.filter(({ passed }) => !passed);
  for (const { check, expected, actual, attestation } of failed) {
    const where = attestation === undefined ? "" : ` (evidence ${short(attestation)})`;
    terminal.print(`${indent}${check}: expected ${expected}; found ${actual}${where}`);
  }
  const passed = checks.length - failed.length;
  if (failed.length > 0 && passed > 0) terminal.print(`${indent}${passed} other checks hold`);
}

export function printReasons(terminal: Terminal, reasons: readonly DecisionReason[]): void {
  for (const { code, message, checks } of reasons) {
    terminal.print(`  ${code}: ${message}`);
    printChecks(terminal, checks ?? [], "    ");
  }
}

/** A digest shortened for people: enough to recognise it. */
export function short(digest: string): string {
  const [algorithm, hex = ""] = digest.split(":", 2);
  return hex.length > 12 ? `${algorithm}:${hex.slice(0, 12)}…` : digest;
}
