import type { Digest } from "../in-toto-attestation/types.ts";
import type { Mode } from "../policy/policy.ts";
import type { Decision, InForce, Reason } from "./decide.ts";
import { endsOf } from "./ends.ts";
import type { View } from "./projection.ts";

/** A decision as the API gives it, but for the log size: that moves on while the decision stays. */
export interface Answer {
  readonly digest: Digest;
  readonly decision: "allow" | "deny";
  readonly enforced: boolean;
  readonly reasons: readonly Reason[];
  readonly policies: readonly {
    readonly policy: string;
    readonly policyHash: string;
    readonly mode: Mode;
    readonly outcome: "passed" | "failed";
    readonly slsaLevel: number;
    readonly attestations: readonly Digest[];
    readonly validUntil: string | null;
  }[];
  readonly slsaLevel: number;
  readonly validUntil: string | null;
}

/** An answer beside all that it follows from, but for the artifact's state: with that it is kept. */
export interface KeptAnswer {
  /** The answer as JSON. */
  readonly json: string;
  /** `allow`, or the code of the first reason to deny. */
  readonly outcome: string;
  readonly policies: readonly string[];
  readonly inForce: InForce;
  /** It is what `decide` says at each time `from <= now < until`, in milliseconds since the epoch. */
  readonly from: number;
  readonly until: number;
}

/** Callers with other policies each have an answer of their own; of one artifact no more than this are kept. */
const MAX_KEPT = 4;

export function answerOf({
  verdicts,
  grounds: _,
  exceptions: __,
  validUntil,
  ...decision
}: Decision): Answer {
  return {
    ...decision,
    policies: verdicts.map(({ policy, policyHash, mode, outcome, slsaLevel, attestations, validUntil }) => ({
      policy,
      policyHash,
      mode,
      outcome,
      slsaLevel,
      attestations,
      validUntil: validUntil === undefined ? null : new Date(validUntil).toISOString(),
    })),
    validUntil: validUntil === null ? null : new Date(validUntil).toISOString(),
  };
}

/** `allow`, or the code of the first reason to deny. */
export function outcomeOf({ decision, reasons }: Pick<Answer, "decision" | "reasons">): string {
  return decision === "allow" ? decision : (reasons[0]?.code ?? decision);
}

/** The answer, where it was kept and `decide` would give it again. */
export function keptAnswer(
  { artifact, inForce }: View,
  policies: readonly string[],
  now: number,
): KeptAnswer | undefined {
  for (const answer of artifact.answers) {
    if (holds(answer, inForce, now) && areSame(answer.policies, policies)) return answer;
  }
  return undefined;
}

/**
 * Keeps what was decided from a view, for as long as `decide` says the same: until an event touches the artifact
 * (the projection then drops the state and the answers with it) or what is in force in its project (which is
 * another object then), or until the time comes at which a verdict, an approval or an exception ends.
 */
export function keepAnswer(
  view: View,
  policies: readonly string[],
  now: number,
  decided: Pick<KeptAnswer, "json" | "outcome">,
): void {
  const { artifact, inForce } = view;
  const answer = { ...decided, policies, inForce, ...spanAround(now, endsOf(artifact.state, inForce)) };
  const others = artifact.answers.filter((other) => holds(other, inForce, now));
  artifact.answers = [answer, ...others].slice(0, MAX_KEPT);
}

function holds(answer: KeptAnswer, inForce: InForce, now: number): boolean {
  return answer.inForce === inForce && answer.from <= now && now < answer.until;
}

function areSame(some: readonly string[], others: readonly string[]): boolean {
  return some === others || (some.length === others.length && some.every((name, i) => name === others[i]));
}

/** The time around now in which none of these ends comes. */
function spanAround(now: number, ends: readonly number[]): { from: number; until: number } {
  let [from, until] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const end of ends) {
    if (end <= now) from = Math.max(from, end);
    else until = Math.min(until, end);
  }
  return { from, until };
}
