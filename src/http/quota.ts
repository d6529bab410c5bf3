export interface QuotaOptions {
  /** Calls of one key in one window. */
  readonly max: number;
  /** Milliseconds. */
  readonly window: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/**
 * Counts calls by key and gives the seconds to wait, 0 for a call that is within the quota. All keys share their
 * windows, so that counting is one addition, and what was counted is forgotten when a window ends. For keys that
 * callers cannot invent: nothing bounds how many there are in a window.
 */
export function createQuota({ max, window, clock }: QuotaOptions): (key: string) => number {
  const calls = new Map<string, number>();
  let end = Number.NEGATIVE_INFINITY;
  return (key) => {
    const now = clock();
    if (now >= end) {
      calls.clear();
      end = now + window;
    }
    const count = (calls.get(key) ?? 0) + 1;
    calls.set(key, count);
    return count > max ? Math.ceil((end - now) / 1000) : 0;
  };
}
