import type { ChainKey, LogEvent } from "./events.ts";

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

/**
 * Every break in a chain whose events are given in the order of the log: from the first, which has no
 * predecessor, each must name the one before it. A chain without breaks misses no event between its first and
 * its last; what came after the last, it cannot say.
 */
export function brokenLinks(key: ChainKey, events: readonly Linked[]): BrokenLink[] {
  return events.flatMap((event, i) => {
    const expected = events[i - 1]?.index ?? null;
    const actual = previousIn(key, event);
    return actual === expected ? [] : [{ index: event.index, expected, actual }];
  });
}
