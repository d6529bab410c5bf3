/** Places that parties share. */
export interface FairShares {
  /** Takes a place, and gives what gives it back, once. Undefined: there is none for this party. */
  take(party: string): (() => void) | undefined;
}

/**
 * As in a `createFairQueue`, a party may have as many places as are left free: none can take what the others need.
 *
 * @param alone the places of a party that is alone; all together have fewer than twice as many
 */
export function createFairShares(alone: number): FairShares {
  const taken = new Map<string, number>();
  let all = 0;
  return {
    take(party) {
      const own = taken.get(party) ?? 0;
      if (own + 1 + all + 1 > 2 * alone) return undefined;
      taken.set(party, own + 1);
      all += 1;
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        all -= 1;
        const left = (taken.get(party) ?? 1) - 1;
        if (left === 0) taken.delete(party);
        else taken.set(party, left);
      };
    },
  };
}
