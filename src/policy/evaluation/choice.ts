import type { Joined } from "../cel/joins.ts";
import { type Budget, budgetWithin } from "../cel/meter.ts";
import type { JoinRule } from "../policy.ts";
import type { Check } from "../types.ts";
import { answerText } from "./check-text.ts";
import type { Findings } from "./checks.ts";
import { type Gathered, signersNeeded } from "./required.ts";

/** How many choices of evidence joins are asked about. */
const MAX_CHOICES = 256;

/** A main attestation that passes, and what each requirement found beside it. */
export interface Candidate {
  readonly main: Findings;
  readonly required: readonly Gathered[];
}

/** Evidence that a verdict could rest on: a main attestation, and for each requirement what it takes. */
export interface Choice {
  readonly main: Findings;
  readonly required: readonly { readonly gathered: Gathered; readonly chosen: readonly Findings[] }[];
  /** What the joins say of it. */
  readonly joins: readonly Check[];
}

/**
 * The first choice of passing evidence, the best first, of which all joins are true; where there is none, the one with
 * the fewest that are not; undefined where there is nothing to choose from. A requirement that no join reads is met by what
 * counts longest, whatever the choice.
 */
export function choose(
  joins: readonly JoinRule[],
  candidates: readonly Candidate[],
  whole: Budget,
): Choice | undefined {
  const reads = new Set(joins.flatMap((join) => [...join.reads]));
  const budgeted = joins.map((join) => ({ join, budget: budgetWithin(whole) }));
  let nearest: Choice | undefined;
  let tried = 0;
  for (const choice of choices(candidates, reads)) {
    const asked = { ...choice, joins: budgeted.map(({ join, budget }) => checkJoin(join, choice, budget)) };
    if (nearest === undefined || failures(asked) < failures(nearest)) nearest = asked;
    tried += 1;
    if (failures(asked) === 0 || tried === MAX_CHOICES) break;
  }
  return nearest;
}

function failures({ joins }: Choice): number {
  return joins.filter(({ passed }) => !passed).length;
}

/** Every choice, those with the best main attestation first; the last requirement varies fastest. */
function* choices(
  candidates: readonly Candidate[],
  reads: ReadonlySet<string>,
): Generator<Omit<Choice, "joins">> {
  for (const { main, required } of candidates) {
    for (const chosen of combinations(required.map((gathered) => optionsOf(gathered, reads)))) {
      yield {
        main,
        required: required.map((gathered, index) => ({ gathered, chosen: chosen[index] ?? [] })),
      };
    }
  }
}

/** Where a join sees a list, it sees all of it. */
function optionsOf({ requirement, passing }: Gathered, reads: ReadonlySet<string>): (readonly Findings[])[] {
  const isRead = reads.has(requirement.name);
  if (isRead && requirement.require !== undefined) return [passing];
  if (isRead) return passing.map((one) => [one]);
  return [passing.toSorted(longestFirst).slice(0, signersNeeded(requirement))];
}

/** Of evidence that ends alike, or never, the order stays. */
function longestFirst(a: Findings, b: Findings): number {
  const [first, second] = [a.expires ?? Number.MAX_VALUE, b.expires ?? Number.MAX_VALUE];
  return second - first;
}

function* combinations<T>(options: readonly (readonly T[])[]): Generator<T[]> {
  const [first, ...rest] = options;
  if (first === undefined) {
    yield [];
    return;
  }
  for (const option of first) {
    for (const others of combinations(rest)) yield [option, ...others];
  }
}

function checkJoin(join: JoinRule, choice: Omit<Choice, "joins">, budget: Budget): Check {
  const answer = join.holds(joinedOf(choice), budget);
  return {
    check: `join:${join.name}`,
    passed: answer === true,
    expected: join.message ?? join.expression,
    actual: answerText(answer),
  };
}

function joinedOf({ main, required }: Omit<Choice, "joins">): Joined {
  return {
    main: main.facts,
    evidence: new Map(
      required.flatMap(({ gathered: { requirement }, chosen }) => {
        const facts = chosen.map((one) => one.facts);
        const seen = requirement.require === undefined ? facts[0] : facts;
        return seen === undefined ? [] : [[requirement.name, seen] as const];
      }),
    ),
  };
}
