import { DECIDED } from "./decided.ts";
import { EXPLAINED } from "./explained.ts";
import type { Case, Corpus } from "./manifest.ts";
import { isSupported, type Outcome, runCase } from "./run-case.ts";

export interface Report {
  /** Unambiguous cases of supported formats. */
  readonly run: number;
  readonly agree: number;
  readonly unsupported: number;
  readonly disagreements: readonly Disagreement[];
  readonly ambiguous: readonly Ambiguous[];
}

export interface Disagreement {
  readonly test: Case;
  readonly outcome: Outcome;
  /** Why it is meant; undefined for one that nobody accounted for. */
  readonly explanation: string | undefined;
}

/** A case on which implementations differ: held to what we decided. */
export interface Ambiguous {
  readonly test: Case;
  readonly outcome: Outcome;
  /** Undefined for one that is not decided yet. */
  readonly decided: Outcome["verdict"] | undefined;
}

/** Runs every case of a supported format, one after another. `now` in milliseconds since the epoch. */
export async function runCorpus(corpus: Corpus, now: number): Promise<Report> {
  const supported: { test: Case; outcome: Outcome }[] = [];
  for (const test of corpus.cases.filter(isSupported)) {
    supported.push({ test, outcome: await runCase(test, corpus, now) });
  }
  const counted = supported.filter(({ test }) => test.ambiguous === undefined);
  const disagreements = counted
    .filter(({ test, outcome }) => outcome.verdict !== test.expected)
    .map(({ test, outcome }) => ({ test, outcome, explanation: EXPLAINED.get(test.id) }));
  return {
    run: counted.length,
    agree: counted.length - disagreements.length,
    unsupported: corpus.cases.length - supported.length,
    disagreements,
    ambiguous: supported
      .filter(({ test }) => test.ambiguous !== undefined)
      .map((ran) => ({ ...ran, decided: DECIDED.get(ran.test.id) })),
  };
}

/** Whether the run is good: at least 95% agree, whatever does not is accounted for, and decisions are kept to. */
export function isGood({ run, agree, disagreements, ambiguous }: Report): boolean {
  return (
    agree >= run * 0.95 &&
    disagreements.every(({ explanation }) => explanation !== undefined) &&
    ambiguous.every(isAsDecided)
  );
}

function isAsDecided({ outcome, decided }: Ambiguous): boolean {
  return decided === undefined || decided === outcome.verdict;
}

/** The last line is the one that scripts read. */
export function renderReport({ run, agree, unsupported, disagreements, ambiguous }: Report): string {
  const lines = [
    ...ambiguous.map(
      ({ test, outcome, decided = "nothing yet" }) =>
        `ambiguous  ${test.id}: ${outcome.verdict}, decided ${decided}${because(outcome)} (${test.ambiguous})`,
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
