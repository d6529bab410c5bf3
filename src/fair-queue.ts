/** So many entries, of so many bytes together. */
export interface Amount {
  readonly entries: number;
  readonly bytes: number;
}

/** What waits, in a line for each party; each line has its turn. */
export interface FairQueue<T> {
  readonly isEmpty: boolean;
  /** All that waits. */
  readonly size: Amount;
  /** False: there is no room for more of this party's, and nothing was taken. */
  push(party: string, entry: T, bytes: number): boolean;
  /** Takes at most so much, one of each line in turn, and of those that wait at least one. */
  take(most: Amount): T[];
}

interface Line<T> {
  readonly waiting: { readonly entry: T; readonly bytes: number }[];
  bytes: number;
}

/**
 * A queue of which no party can take what the others need: a party may have as much waiting as is left free ("dynamic
 * threshold"), so one alone fills half, n fill n/(n + 1), and there is always room for one that has nothing waiting yet.
 *
 * @param alone what a party may have waiting that is alone; all together have less than twice that
 */
export function createFairQueue<T>(alone: Amount): FairQueue<T> {
  // The line whose turn is next comes first.
  const lines = new Map<string, Line<T>>();
  let entries = 0;
  let total = 0;

  function hasRoom(line: Line<T> | undefined, bytes: number): boolean {
    const own = { entries: (line?.waiting.length ?? 0) + 1, bytes: (line?.bytes ?? 0) + bytes };
    return own.entries + entries + 1 <= 2 * alone.entries && own.bytes + total + bytes <= 2 * alone.bytes;
  }

  return {
    get isEmpty() {
      return entries === 0;
    },
    get size() {
      return { entries, bytes: total };
    },
    push(party, entry, bytes) {
      const line = lines.get(party);
      if (!hasRoom(line, bytes)) return false;
      if (line === undefined) lines.set(party, { waiting: [{ entry, bytes }], bytes });
      else {
        line.waiting.push({ entry, bytes });
        line.bytes += bytes;
      }
      entries += 1;
      total += bytes;
      return true;
    },
    take(most) {
      const taken: T[] = [];
      let bytes = 0;
      for (;;) {
        const [turn] = lines;
        const next = turn?.[1].waiting[0];
        if (turn === undefined || next === undefined) return taken;
        if (taken.length > 0 && (taken.length >= most.entries || bytes + next.bytes > most.bytes))
          return taken;
        const [party, line] = turn;
        line.waiting.shift();
        line.bytes -= next.bytes;
        entries -= 1;
        total -= next.bytes;
        lines.delete(party);
        if (line.waiting.length > 0) lines.set(party, line);
        taken.push(next.entry);
        bytes += next.bytes;
      }
    },
  };
}
