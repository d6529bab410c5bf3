import { isSameBundle, type TrustBundle } from "../identity/trust-bundle.ts";
import type { AttestedWorkload } from "./attested-workload.ts";
import { backoff } from "./backoff.ts";
import { forgetOldest } from "./forget-oldest.ts";
import { equalityOf } from "./holdings.ts";
import type { IdentitySource } from "./identity-source.ts";
import { PATIENCE, wait, within } from "./wait.ts";

/** The bundles of other trust domains that this host's workloads may believe. */
export interface Federation {
  /** Asks the source for the bundles. @returns whether any is another than before. Throws what the source throws. */
  refresh(): Promise<boolean>;
  /** Whom a workload may believe is asked for anew from here on. */
  forget(): void;
  /**
   * Those that this workload may believe; where the source has no answer in good time, those that it last might. What it
   * answers later is told by `onChange`.
   */
  of(workload: AttestedWorkload): Promise<readonly TrustBundle[]>;
  close(): void;
}

export interface FederationOptions {
  readonly source: IdentitySource;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
  /** What `of` gave may be another now. */
  readonly onChange: () => void;
}

/** For how long what a workload may believe is not asked for again, in milliseconds. */
const FRESH = 60_000;
const MAX_KEPT = 1024;
const RETRY = { first: 500, longest: 20_000 };

/** Whom workloads that are attested the same may believe. */
interface Kept {
  names: readonly string[] | undefined;
  /** When it was asked for, by the clock, and how often all was forgotten before that. */
  askedAt: number;
  forgotten: number;
  asking: Promise<void> | undefined;
}

export function openFederation({ source, clock, random, onChange }: FederationOptions): Federation {
  const stopped = new AbortController();
  let bundles: readonly TrustBundle[] = [];
  let forgotten = 0;
  // In the order in which they were asked for last.
  const kept = new Map<string, Kept>();

  function keptFor(key: string): Kept {
    const known = kept.get(key) ?? { names: undefined, askedAt: 0, forgotten: -1, asking: undefined };
    kept.delete(key);
    kept.set(key, known);
    forgetOldest(kept, MAX_KEPT);
    return known;
  }

  /** Asks until there is an answer that nothing has overtaken meanwhile. */
  async function ask(workload: AttestedWorkload, one: Kept, isKept: () => boolean): Promise<void> {
    for (let failures = 0; !stopped.signal.aborted && isKept(); ) {
      const asked = { askedAt: clock(), forgotten };
      try {
        const names = await source.federatesWith(workload);
        if (asked.forgotten !== forgotten) continue;
        const before = one.names;
        Object.assign(one, { ...asked, names });
        if (before?.join() !== names.join()) onChange();
        return;
      } catch {
        failures += 1;
        await wait(backoff(RETRY, failures, random), stopped.signal);
      }
    }
  }

  return {
    async refresh() {
      const before = bundles;
      const next = await source.federation();
      // One that says what it said before stays the same value, so that nobody is told of it.
      bundles = next.map((bundle) => before.find((one) => isSameBundle(one, bundle)) ?? bundle);
      return bundles.length !== before.length || !bundles.every((bundle) => before.includes(bundle));
    },
    forget() {
      forgotten += 1;
    },
    async of(workload) {
      // Where nobody federates, which is usual, nothing is asked.
      if (bundles.length === 0) return [];
      const key = equalityOf(workload);
      const one = keptFor(key);
      const isOvertaken = one.names === undefined || one.forgotten !== forgotten;
      if (isOvertaken || clock() - one.askedAt >= FRESH) {
        one.asking ??= ask(workload, one, () => kept.get(key) === one).finally(() => {
          one.asking = undefined;
        });
        if (isOvertaken) await within(PATIENCE, one.asking);
      }
      return bundles.filter(({ trustDomain }) => one.names?.includes(trustDomain));
    },
    close: () => stopped.abort(),
  };
}
