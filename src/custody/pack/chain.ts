import type { ChainKey, LogEvent } from "../events.ts";

/** What of an event says how it is linked. */
export type Linked = Pick<LogEvent, "index" | "about" | "previous">;

/** Where a chain does not hang together: this event names another predecessor than the one before it. */
export interface BrokenLink {
  readonly index: number;
  /** The event that stands before it here, or null when it is the first. */
  readonly expected: number | null;
  /** The predecessor that its leaf names; undefined when it does not join the chain at all. */
  readonly actual: number | null | undefined;
}

/** The index of the event before this one in a chain, null for the chain's first, undefined when it does not join it. */
export function previousIn(key: ChainKey, { about, previous }: Linked): number | null | undefined {
  const position = about.indexOf(key);
  return position === -1 ? undefined : previous[position];
}

/** A chain that is followed from its first event on. */
export interface ChainFollower {
  /** Takes the next event of the chain, and says where it does not follow the one before it. */
  follow(event: Linked): BrokenLink | undefined;
  /** The indexes of the first and the last event so far; undefined before the first. */
  ends(): { readonly first: number; readonly last: number } | undefined;
}

/**
 * Follows a chain whose events come in the order of the log: from the first, which has no predecessor, each must name
 * the one before it. A chain without breaks misses no event between its first and its last; what came after the last, it
 * cannot say.
 */
export function followChain(key: ChainKey): ChainFollower {
  let ends: { first: number; last: number } | undefined;
  return {
    follow(event) {
      const { index } = event;
      const expected = ends?.last ?? null;
      ends = { first: ends?.first ?? index, last: index };
      const actual = previousIn(key, event);
      return actual === expected ? undefined : { index, expected, actual };
    },
    ends: () => ends,
  };
}
