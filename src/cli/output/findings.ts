import type { Check, DecisionReason } from "../../client/types.ts";
import type { Terminal } from "./terminal.ts";

/** Failed checks in their order, nearest miss first; how many are left out, and how many hold. */
export function printChecks(
  terminal: Terminal,
  checks: readonly Check[],
  indent: string,
  most = Number.POSITIVE_INFINITY,
): void {
  const failed = checks.filter(({ passed }) => !passed);
  for (const { check, expected, actual, attestation } of failed.slice(0, most)) {
    const where = attestation === undefined ? "" : ` (evidence ${short(attestation)})`;
    terminal.print(`${indent}${check}: expected ${expected}; found ${actual}${where}`);
  }
  const rest = [
    [failed.length - most, "more fail"],
    [checks.length - failed.length, "hold"],
  ] as const;
  const counts = rest.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : []));
  if (counts.length > 0) terminal.print(`${indent}${counts.join(", ")}`);
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
