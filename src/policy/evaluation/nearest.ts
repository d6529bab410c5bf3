import type { Check } from "../types.ts";
import type { Findings } from "./checks.ts";
import { newestFirst } from "./newest.ts";

/** The checks of those attestations that came nearest to passing, the failed ones of each before the others. */
export function nearestMisses(findings: readonly Findings[], most: number): Check[] {
  const nearest = findings.toSorted(nearestFirst).slice(0, most);
  return nearest.flatMap(({ checks }) => failedFirst(checks));
}

export function failedFirst(checks: readonly Check[]): Check[] {
  return [...checks.filter(({ passed }) => !passed), ...checks.filter(({ passed }) => passed)];
}

/** An order of passing attestations. */
export function bestFirst(a: Findings, b: Findings): number {
  return b.slsaLevel - a.slsaLevel || newerFirst(a, b);
}

export function newerFirst(a: Findings, b: Findings): number {
  return newestFirst(a.facts, b.facts);
}

/** What a trusted signer signed comes first: nobody else can crowd it out of the list. */
function nearestFirst(a: Findings, b: Findings): number {
  return Number(b.isTrusted) - Number(a.isTrusted) || failures(a) - failures(b) || newerFirst(a, b);
}

function failures({ checks }: Findings): number {
  return checks.filter(({ passed }) => !passed).length;
}
