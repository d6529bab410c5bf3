import { isSameBundle, type TrustBundle } from "../identity/trust-bundle.ts";
import type { AttestedWorkload } from "./attested-workload.ts";
import { backoff } from "./backoff.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { openFederation } from "./federation.ts";
import type { IdentitySource } from "./identity-source.ts";
import { wait } from "./wait.ts";

/** Seconds, where the bundle does not say. */
const DEFAULT_REFRESH = 60;
const RETRY = { first: 500, longest: 20_000 };

export interface BundleKeeper {
  /** The newest known. Throws what the source throws while there never was one. */
  current(): Promise<TrustBundle>;
  /**
   * The newest known, looked up once more where one of these authorities (DER) is not in it: an SVID may be granted
   * by a younger one.
   */
  including(authorities: readonly Uint8Array[]): Promise<TrustBundle>;
  /** Those of other trust domains that this workload may believe. */
  federatedFor(workload: AttestedWorkload): Promise<readonly TrustBundle[]>;
  /** The newest known, and again whenever it or another trust domain's may be another, until aborted. */
  follow(signal: AbortSignal): AsyncGenerator<TrustBundle>;
  close(): Promise<void>;
}

export interface BundleKeeperOptions {
  readonly source: IdentitySource;
  readonly feed: ChangeFeed;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly onChange: (bundle: TrustBundle) => void;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
}

/**
 * Keeps the trust domain's bundle and those of others that are federated with. They outlive the source's absence: they
 * verify what was granted before.
 */
export function openBundleKeeper(options: BundleKeeperOptions): BundleKeeper {
  const { source, feed, clock, onChange, random } = options;
  const stopped = new AbortController();
  const followers = new Set<() => void>();
  let known: TrustBundle | undefined;
  let version = 0;
  /** Whether the others' bundles were not to be had when it was asked last. */
  let isOwed = false;
  let policiesChanged = false;
  let hurry = new AbortController();
  const federation = openFederation({ source, clock, random, onChange: tell });

  async function refresh(): Promise<TrustBundle> {
    const next = await source.bundle();
    const isFirst = known === undefined;
    const ownChanged = known === undefined || !isSameBundle(next, known);
    if (ownChanged) known = next;
    // That the others' are not to be had now says nothing of this one.
    const othersChanged = await federation.refresh().catch(() => undefined);
    isOwed = othersChanged === undefined;
    if (!isFirst && (ownChanged || othersChanged === true)) tell();
    return known ?? next;
  }
  function tell(): void {
    version += 1;
    for (const wake of followers) wake();
    if (known !== undefined) onChange(known);
  }
  // Policies say who is federated with, and touch every digest.
  const unfollow = feed.follow([], () => {
    federation.forget();
    policiesChanged = true;
    hurry.abort();
  });

  async function current(): Promise<TrustBundle> {
    return known ?? refresh();
  }

  async function keep(): Promise<void> {
    for (let failures = 0; !stopped.signal.aborted; ) {
      hurry = new AbortController();
      // The change feed tells of a source that is away.
      const bundle = await refresh().catch(() => undefined);
      failures = bundle === undefined || isOwed ? failures + 1 : 0;
      if (failures === 0 && policiesChanged) {
        policiesChanged = false;
        tell();
      }
      const hint = 1000 * (bundle?.refreshHint ?? DEFAULT_REFRESH);
      const pause = failures === 0 ? hint : backoff(RETRY, failures, random);
      await wait(pause, AbortSignal.any([stopped.signal, hurry.signal]));
    }
  }
  const keeping = keep();

  return {
    current,
    federatedFor: federation.of,
    async including(authorities) {
      const before = await current();
      if (authorities.every((authority) => holds(before, authority))) return before;
      return refresh().catch(() => before);
    },
    async *follow(signal) {
      for (let given: number | undefined; !signal.aborted; ) {
        const bundle = await current();
        if (given !== version) {
          given = version;
          yield bundle;
        }
        await new Promise<void>((resolve) => {
          const wake = () => {
            followers.delete(wake);
            signal.removeEventListener("abort", wake);
            resolve();
          };
          if (given !== version || signal.aborted) return resolve();
          followers.add(wake);
          signal.addEventListener("abort", wake, { once: true });
        });
      }
    },
    async close() {
      stopped.abort();
      federation.close();
      unfollow();
      await keeping;
    },
  };
}

function holds({ x509Authorities }: TrustBundle, authority: Uint8Array): boolean {
  return x509Authorities.some(({ der }) => Buffer.compare(der, authority) === 0);
}
