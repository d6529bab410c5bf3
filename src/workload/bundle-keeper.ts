import { setTimeout as sleep } from "node:timers/promises";
import { type TrustBundle, writeTrustBundle } from "../identity/trust-bundle.ts";
import { backoff } from "./backoff.ts";
import type { IdentitySource } from "./identity-source.ts";

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
  /** The newest known and each that takes its place, until aborted. */
  follow(signal: AbortSignal): AsyncGenerator<TrustBundle>;
  close(): Promise<void>;
}

export interface BundleKeeperOptions {
  readonly source: IdentitySource;
  readonly onChange: (bundle: TrustBundle) => void;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
}

/** Keeps the trust domain's bundle, which outlives the source's absence: it verifies what was granted before. */
export function openBundleKeeper({ source, onChange, random }: BundleKeeperOptions): BundleKeeper {
  const stopped = new AbortController();
  const followers = new Set<() => void>();
  let known: TrustBundle | undefined;

  async function refresh(): Promise<TrustBundle> {
    const next = await source.bundle();
    const changed = known !== undefined && textOf(next) !== textOf(known);
    known = changed || known === undefined ? next : known;
    if (changed) {
      for (const wake of followers) wake();
      onChange(next);
    }
    return known;
  }

  async function current(): Promise<TrustBundle> {
    return known ?? refresh();
  }

  async function keep(): Promise<void> {
    for (let failures = 0; !stopped.signal.aborted; ) {
      let wait: number;
      try {
        wait = 1000 * ((await refresh()).refreshHint ?? DEFAULT_REFRESH);
        failures = 0;
      } catch {
        // The change feed tells of a source that is away.
        failures += 1;
        wait = backoff(RETRY, failures, random);
      }
      await sleep(wait, undefined, { signal: stopped.signal }).catch(() => {});
    }
  }
  const keeping = keep();

  return {
    current,
    async including(authorities) {
      const before = await current();
      if (authorities.every((authority) => holds(before, authority))) return before;
      return refresh().catch(() => before);
    },
    async *follow(signal) {
      let given: TrustBundle | undefined;
      while (!signal.aborted) {
        const current = known ?? (await refresh());
        if (current !== given) yield current;
        given = current;
        await new Promise<void>((resolve) => {
          const wake = () => {
            followers.delete(wake);
            signal.removeEventListener("abort", wake);
            resolve();
          };
          if (known !== given || signal.aborted) return resolve();
          followers.add(wake);
          signal.addEventListener("abort", wake, { once: true });
        });
      }
    },
    async close() {
      stopped.abort();
      await keeping;
    },
  };
}

function holds({ x509Authorities }: TrustBundle, authority: Uint8Array): boolean {
  return x509Authorities.some(({ der }) => Buffer.compare(der, authority) === 0);
}

function textOf(bundle: TrustBundle): string {
  return JSON.stringify(writeTrustBundle(bundle));
}
