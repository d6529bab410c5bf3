import type { Facts, Source } from "../facts.ts";
import { personOf } from "../person.ts";
import type { Requirement } from "../policy.ts";
import type { Check } from "../types.ts";
import { alternatives, shown, shownList, signerText } from "./check-text.ts";
import { type Asking, examineRequired, type Findings } from "./checks.ts";
import { nearestMisses, newerFirst } from "./nearest.ts";

/** How many attestations' checks a requirement that is not met lists. */
const MISSES_LISTED = 3;
/** Of how many signers a join sees evidence where it sees a list. */
const MAX_LISTED = 16;

/** The evidence that a requirement found. */
export interface Gathered {
  readonly requirement: Requirement;
  /** What it is about, where that is the source and not the artifact. */
  readonly builtFrom?: Source;
  /**
   * What passes all that the requirement asks, the newest first. Where it asks for several signers, only the newest of
   * each of them.
   */
  readonly passing: readonly Findings[];
  readonly met: boolean;
  /** What was found where it is not met: the requirement itself, and then the nearest misses. */
  readonly misses: readonly Check[];
}

/**
 * Finds the evidence that a requirement asks for: of its predicate types, and passing all its checks.
 *
 * @param current evidence about what the requirement is about
 * @param builtFrom the source, where it is about that
 */
export function gather(
  requirement: Requirement,
  current: readonly Facts[],
  asking: Asking,
  builtFrom?: Source,
): Gathered {
  const found = current
    .filter(({ predicateType }) => isOfType(requirement, predicateType))
    .map((facts) => examineRequired(requirement, facts, asking, builtFrom));
  const passed = found.filter(({ passed }) => passed).sort(newerFirst);
  const passing = requirement.require === undefined ? passed : onePerParty(passed).slice(0, MAX_LISTED);
  const met = passing.length >= signersNeeded(requirement);
  const misses = met
    ? []
    : nearestMisses(
        found.filter(({ passed }) => !passed),
        MISSES_LISTED,
      );
  const gathered = { requirement, passing, met, ...(builtFrom && { builtFrom }) };
  return { ...gathered, misses: met ? [] : [countCheck(gathered, passing, found.length), ...misses] };
}

function isOfType({ predicateTypes }: Requirement, predicateType: string | undefined): boolean {
  return predicateType !== undefined && predicateTypes.some((glob) => glob.matches(predicateType));
}

export function signersNeeded({ require }: Requirement): number {
  return require?.atLeast ?? 1;
}

/** That enough signers gave evidence, of which these. `found` counts what there is of its predicate types. */
export function countCheck(
  { requirement, builtFrom }: Pick<Gathered, "requirement" | "builtFrom">,
  passing: readonly Findings[],
  found: number,
): Check {
  const needed = signersNeeded(requirement);
  const about = builtFrom === undefined ? "" : ` about the commit ${shown(builtFrom.commit)}`;
  const types = `${alternatives(requirement.predicateTypes)}${about}`;
  const signers = passing.map(({ facts }) => signerText(facts));
  return {
    check: `evidence.${requirement.name}`,
    passed: passing.length >= needed,
    expected: needed === 1 ? types : `${types} by ${needed} signers`,
    actual: signers.length > 0 ? shownList(signers) : found === 0 ? "none" : `none of ${found} passes`,
  };
}

/** The newest of each party. */
function onePerParty(newestFirst: readonly Findings[]): Findings[] {
  const first = new Map<string, Findings>();
  for (const findings of newestFirst) {
    const party = partyOf(findings.facts);
    if (!first.has(party)) first.set(party, findings);
  }
  return [...first.values()];
}

/** Who counts once, as among those who approve: also who is known to two issuers, and a workflow that ran at two refs. */
function partyOf({ signer: { identity, key } }: Facts): string {
  return personOf(key ?? identity ?? "");
}
