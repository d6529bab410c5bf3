import { type TrustBundle, writeTrustBundle } from "../identity/trust-bundle.ts";
import type { AttestedWorkload } from "./attested-workload.ts";
import { equalityOf } from "./holdings.ts";
import type { IdentitySource } from "./identity-source.ts";

/** The bundles of other trust domains that this host's workloads may believe. */
export interface Federation {
  /** Asks the source for the bundles. @returns whether any is another than before. Throws what the source throws. */
  refresh(): Promise<boolean>;
  /** Whom a workload may believe is asked for anew from here on. */
  forget(): void;
  /** Those that this workload may believe; while the source is away, those that it last might. */
  of(workload: AttestedWorkload): Promise<readonly TrustBundle[]>;
}

export interface FederationOptions {
  readonly source: IdentitySource;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** For how long what a workload may believe is not asked for again, in milliseconds. */
const FRESH = 60_000;
const MAX_KEPT = 1024;

interface Kept {
  readonly names: Promise<readonly string[]>;
  readonly askedAt: number;
}

export function openFederation({ source, clock }: FederationOptions): Federation {
  let bundles: readonly TrustBundle[] = [];
  // In the order in which they were asked for last.
  const kept = new Map<string, Kept>();
  let forgottenAt = Number.NEGATIVE_INFINITY;

  function namesFor(workload: AttestedWorkload): Promise<readonly string[]> {
    const key = equalityOf(workload);
    const before = kept.get(key);
    const now = clock();
    if (before !== undefined && before.askedAt > forgottenAt && now - before.askedAt < FRESH)
      return before.names;
    const names = source.federatesWith(workload).catch(() => before?.names ?? []);
    kept.delete(key);
    kept.set(key, { names, askedAt: now });
    const [oldest] = kept.keys();
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
    return names;
  }

  return {
    async refresh() {
      const before = bundles;
      const next = await source.federation();
      // One that says what it said before stays the same value, so that nobody is told of it.
      bundles = next.map((bundle) => before.find((one) => textOf(one) === textOf(bundle)) ?? bundle);
      return bundles.length !== before.length || !bundles.every((bundle) => before.includes(bundle));
    },
    forget() {
      forgottenAt = clock();
    },
    async of(workload) {
      // Where nobody federates, which is usual, nothing is asked.
      if (bundles.length === 0) return [];
      const names = await namesFor(workload);
      return bundles.filter(({ trustDomain }) => names.includes(trustDomain));
    },
  };
}

function textOf(bundle: TrustBundle): string {
  return JSON.stringify([bundle.trustDomain, writeTrustBundle(bundle)]);
}
