import { EXPLAINED } from "./explained.ts";
import type { Case, Corpus } from "./manifest.ts";
import { isSupported, type Outcome, runCase } from "./run-case.ts";

export interface Report {
  /** Unambiguous cases of supported formats. */
  readonly run: number;
  readonly agree: number;
  readonly unsupported: number;
  readonly disagreements: readonly Disagreement[];
  readonly ambiguous: readonly { readonly test: Case; readonly outcome: Outcome }[];
}

export interface Disagreement {
  readonly test: Case;
  readonly outcome: Outcome;
  /** Why it is meant; undefined for one that nobody accounted for. */
  readonly explanation: string | undefined;
}

/** Runs every case of a supported format. `now` in milliseconds since the epoch. */
export function runCorpus(corpus: Corpus, now: number): Report {
  const supported = corpus.cases
    .filter(isSupported)
    .map((test) => ({ test, outcome: runCase(test, corpus, now) }));
  const counted = supported.filter(({ test }) => test.ambiguous === undefined);
  const disagreements = counted
    .filter(({ test, outcome }) => outcome.verdict !== test.expected)
    .map(({ test, outcome }) => ({ test, outcome, explanation: EXPLAINED.get(test.id) }));
  return {
    run: counted.length,
    agree: counted.length - disagreements.length,
    unsupported: corpus.cases.length - supported.length,
    disagreements,
    ambiguous: supported.filter(({ test }) => test.ambiguous !== undefined),
  };
}

/** Whether the run is good: at least 95% agree, and whatever does not is accounted for. */
export function isGood({ run, agree, disagreements }: Report): boolean {
  return agree >= run * 0.95 && disagreements.every(({ explanation }) => explanation !== undefined);
}

/** The last line is the one that scripts read. */
export function renderReport({ run, agree, unsupported, disagreements, ambiguous }: Report): string {
  const lines = [
    ...ambiguous.map(
      ({ test, outcome }) =>
        `ambiguous  ${test.id}: ${outcome.verdict}${because(outcome)} (${test.ambiguous})`,
    ),
    ...disagreements.map(
      ({ test, outcome, explanation }) =>
        `disagrees  ${test.id}: expected ${test.expected}, got ${outcome.verdict}${because(outcome)}${
          explanation === undefined ? "" : `\n           meant: ${explanation}`
        }`,
    ),
    `${agree} of ${run} cases agree, ${unsupported} not supported yet`,
  ];
  return lines.join("\n");
}

function because({ reason }: Outcome): string {
  return reason === "" ? "" : ` – ${reason}`;
}
