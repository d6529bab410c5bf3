import type { Digest } from "../in-toto-attestation/types.ts";
import { appliesTo, evaluateStated } from "./evaluate.ts";
import { decisiveChecks } from "./evaluation/decisive.ts";
import type { Sayings } from "./facts.ts";
import type { VerificationPolicy } from "./policy.ts";
import { type Question, relatedTo } from "./question.ts";
import type { Check } from "./types.ts";

/** A document as it is and as it would be; absent where there is none of its name. */
export interface Edit<T> {
  readonly name: string;
  readonly before?: T;
  readonly after?: T;
}
export type PolicyEdit = Edit<VerificationPolicy>;

export type Change = "added" | "removed" | "changed" | "unchanged";

type Documents<T> = ReadonlyMap<string, T>;

/** Every document of either set, by name. */
export function editsBetween<T extends object>(before: Documents<T>, after: Documents<T>): Edit<T>[] {
  return [...new Set([...before.keys(), ...after.keys()])].sort().map((name) => {
    const [old, proposed] = [before.get(name), after.get(name)];
    return { name, ...(old && { before: old }), ...(proposed && { after: proposed }) };
  });
}

export function changeOf({ before, after }: Edit<{ readonly hash: string }>): Change {
  if (before === undefined) return "added";
  if (after === undefined) return "removed";
  return before.hash === after.hash ? "unchanged" : "changed";
}

/** What one side of an edit says of an artifact. It is no `Evaluation`, so that nothing can rest on it. */
export interface SimulatedOutcome {
  readonly passed: boolean;
  /** The checks that fail of the evidence that came nearest; none where the policy is not there, or not about this. */
  readonly failing: readonly Check[];
}

/**
 * What the edit's two sides say of an artifact on evidence that was recalled and not verified. A policy that is not
 * there, or that does not apply, passes nothing.
 *
 * @param now milliseconds since the epoch
 */
export function simulateEdit(
  { before, after }: PolicyEdit,
  question: Question<Sayings>,
  now: number,
): { readonly before: SimulatedOutcome; readonly after: SimulatedOutcome } {
  return { before: simulate(before, question, now), after: simulate(after, question, now) };
}

function simulate(
  policy: VerificationPolicy | undefined,
  question: Question<Sayings>,
  now: number,
): SimulatedOutcome {
  if (policy === undefined || !appliesTo(policy, question)) return { passed: false, failing: [] };
  const evaluation = evaluateStated(policy, question, now);
  const passed = evaluation.outcome === "passed";
  return { passed, failing: passed ? [] : decisiveChecks(evaluation).filter((check) => !check.passed) };
}

/** What must be known besides, for the outcomes to be those of an evaluation. */
export interface Missing {
  /** Attestations of whose witnesses nothing is known, where a policy counts them. */
  readonly findings: readonly Digest[];
  /** Other artifacts whose evidence is asked for. */
  readonly about: readonly Digest[];
}

export function missingFor(edits: readonly PolicyEdit[], question: Question<Sayings>): Missing {
  const policies = edits.flatMap(({ before, after }) => [before ?? [], after ?? []].flat());
  const applying = policies.filter((policy) => appliesTo(policy, question));
  const counts = applying.some(({ spec }) => spec.thresholds !== undefined);
  const evidence = [question.evidence, ...question.others.values()].flat();
  return {
    findings: counts ? evidence.filter(({ findings }) => findings === undefined).map(({ id }) => id) : [],
    about: relatedTo(policies, question).filter((digest) => !question.others.has(digest)),
  };
}
