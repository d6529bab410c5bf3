/** Bounds of the waiting between tries, in milliseconds. */
export interface Backoff {
  /** The most before the first retry; doubled with each failure. */
  readonly first: number;
  readonly longest: number;
}

/**
 * How long to wait after so many failures in a row, in milliseconds: anything up to the bound (full jitter), so that
 * those whom one outage stopped do not all come back in one instant.
 *
 * @param random from 0 to 1
 */
export function backoff({ first, longest }: Backoff, failures: number, random: () => number): number {
  return random() * Math.min(longest, first * 2 ** Math.max(0, failures - 1));
}
