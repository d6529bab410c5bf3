/**
 * A timed exception: while it lasts, the artifact is let through where the policy denies it. Somebody answers for it.
 */
export interface Exception {
  readonly id: string;
  readonly policy: string;
  readonly owner: string;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The longest that an exception lasts, in milliseconds: 72 hours. */
export const MAX_EXCEPTION = 72 * 3_600_000;

/** Of the exceptions to this policy that last, the one that lasts longest. */
export function standingException(
  exceptions: readonly Exception[],
  policy: string,
  now: number,
): Exception | undefined {
  return exceptions
    .filter((one) => one.policy === policy && now < one.expiresAt)
    .sort((a, b) => b.expiresAt - a.expiresAt || (a.id < b.id ? -1 : 1))[0];
}
