export interface QuotaOptions {
  /** Calls of one key in one window. */
  readonly max: number;
  /** Milliseconds. */
  readonly window: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Keys that are told apart in a window; absent: 10,000. */
  readonly maxKeys?: number;
}

const MAX_KEYS = 10_000;
/** No key is empty. */
const OTHERS = "";

/**
 * Counts calls by key and gives the seconds to wait, 0 for a call that is within the quota. All keys share their
 * windows, so that counting is one addition, and what was counted is forgotten when a window ends. Keys beyond the most
 * that are told apart count as one: whoever makes up a name for each call gets no further than that, and fills no memory.
 */
export function createQuota({
  max,
  window,
  clock,
  maxKeys = MAX_KEYS,
}: QuotaOptions): (key: string) => number {
  const calls = new Map<string, number>();
  let end = Number.NEGATIVE_INFINITY;
  return (key) => {
    const now = clock();
    if (now >= end) {
      calls.clear();
      end = now + window;
    }
    const known = calls.get(key);
    const counted = known === undefined && calls.size >= maxKeys ? OTHERS : key;
    const count = (known ?? calls.get(counted) ?? 0) + 1;
    calls.set(counted, count);
    return count > max ? Math.ceil((end - now) / 1000) : 0;
  };
}
