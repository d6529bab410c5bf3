import type { Digest } from "../in-toto-attestation/types.ts";
import type { SimulatedOutcome } from "./simulate.ts";
import type { Check } from "./types.ts";

/** Artifacts whose outcome an edit turns in one direction. */
export interface Flips {
  readonly count: number;
  /** The first of them, in the order in which the log came to know them. */
  readonly first: readonly Digest[];
  /** The checks that decide it, of the very first. */
  readonly checks: readonly Check[];
}

/** What an edit does to the artifacts that were looked at. */
export interface EditTally {
  readonly passedBefore: number;
  readonly passedAfter: number;
  /** They passed, and would fail by these checks. */
  readonly denied: Flips;
  /** They would pass, and failed by these checks. */
  readonly allowed: Flips;
}

const MAX_NAMED = 20;
const MAX_CHECKS = 16;

const NONE: Flips = { count: 0, first: [], checks: [] };
export const NOTHING_TALLIED: EditTally = { passedBefore: 0, passedAfter: 0, denied: NONE, allowed: NONE };

export function tallyOf(
  artifact: Digest,
  { before, after }: { readonly before: SimulatedOutcome; readonly after: SimulatedOutcome },
): EditTally {
  const flip = ({ failing }: SimulatedOutcome): Flips => {
    return { count: 1, first: [artifact], checks: failing.slice(0, MAX_CHECKS) };
  };
  return {
    passedBefore: before.passed ? 1 : 0,
    passedAfter: after.passed ? 1 : 0,
    denied: before.passed && !after.passed ? flip(after) : NONE,
    allowed: after.passed && !before.passed ? flip(before) : NONE,
  };
}

/** The two of them, `a` of what came first. */
export function together(a: EditTally, b: EditTally): EditTally {
  return {
    passedBefore: a.passedBefore + b.passedBefore,
    passedAfter: a.passedAfter + b.passedAfter,
    denied: bothFlips(a.denied, b.denied),
    allowed: bothFlips(a.allowed, b.allowed),
  };
}

function bothFlips(a: Flips, b: Flips): Flips {
  if (a.count === 0 || b.count === 0) return a.count === 0 ? b : a;
  return { count: a.count + b.count, first: [...a.first, ...b.first].slice(0, MAX_NAMED), checks: a.checks };
}
