/** Places that parties share, and in each party its holders. */
export interface FairShares {
  /**
   * Takes a place, or so many, and gives what gives them back, once.
   *
   * @param holder absent: one of whom nobody knows how many he has
   */
  take(party: string, holder?: string, places?: number): (() => void) | NoPlace;
}

/** The holder has as many as one may have, or there is none for this party. */
export type NoPlace = "holder-full" | "full";

export interface Shares {
  /** The places of a party that is alone; all together have fewer than twice as many. */
  readonly alone: number;
  /** The places of one holder; absent: as many as its party may have. */
  readonly each?: number;
}

/** As in a `createFairQueue`, a party may have as many places as are left free: none can take what the others need. */
export function createFairShares({ alone, each = Number.POSITIVE_INFINITY }: Shares): FairShares {
  const ofParties = createCounts();
  const ofHolders = createCounts();
  let all = 0;
  return {
    take(party, name, places = 1) {
      // Holders of two parties may have one name: a party chooses those of its own.
      const holder = name === undefined ? undefined : `${party} ${name}`;
      if (holder !== undefined && ofHolders.of(holder) + places > each) return "holder-full";
      if (ofParties.of(party) + places + all + places > 2 * alone) return "full";
      const add = (by: number) => {
        all += by;
        ofParties.add(party, by);
        if (holder !== undefined) ofHolders.add(holder, by);
      };
      add(places);
      let isTaken = true;
      return () => {
        if (isTaken) add(-places);
        isTaken = false;
      };
    },
  };
}

/** What is at nothing takes no memory. */
function createCounts() {
  const counts = new Map<string, number>();
  const of = (key: string) => counts.get(key) ?? 0;
  return {
    of,
    add(key: string, by: number) {
      const count = of(key) + by;
      if (count === 0) counts.delete(key);
      else counts.set(key, count);
    },
  };
}
