import { setTimeout as sleep } from "node:timers/promises";
import { type TrustBundle, writeTrustBundle } from "../identity/trust-bundle.ts";
import type { IdentitySource } from "./identity-source.ts";

/** Seconds, where the bundle does not say. */
const DEFAULT_REFRESH = 60;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 10_000;

export interface BundleKeeper {
  /** The newest known. Throws what the source throws while there never was one. */
  current(): Promise<TrustBundle>;
  /** The newest known and each that takes its place, until aborted. */
  follow(signal: AbortSignal): AsyncGenerator<TrustBundle>;
  close(): Promise<void>;
}

/** Keeps the trust domain's bundle, which outlives the source's absence: it verifies what was granted before. */
export function openBundleKeeper(source: IdentitySource, onChange: () => void): BundleKeeper {
  const stopped = new AbortController();
  const followers = new Set<() => void>();
  let known: TrustBundle | undefined;

  async function refresh(): Promise<TrustBundle> {
    const next = await source.bundle();
    const changed = known !== undefined && textOf(next) !== textOf(known);
    known = changed || known === undefined ? next : known;
    if (changed) {
      for (const wake of followers) wake();
      onChange();
    }
    return known;
  }

  async function keep(): Promise<void> {
    for (let failures = 0; !stopped.signal.aborted; ) {
      let wait: number;
      try {
        wait = 1000 * ((await refresh()).refreshHint ?? DEFAULT_REFRESH);
        failures = 0;
      } catch {
        // The change feed tells of a source that is away.
        wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
        failures += 1;
      }
      await sleep(wait, undefined, { signal: stopped.signal }).catch(() => {});
    }
  }
  const keeping = keep();

  return {
    current: async () => known ?? refresh(),
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

function textOf(bundle: TrustBundle): string {
  return JSON.stringify(writeTrustBundle(bundle));
}
