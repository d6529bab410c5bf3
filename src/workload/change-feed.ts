import { setTimeout as sleep } from "node:timers/promises";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { Change, IdentitySource } from "./identity-source.ts";

/** Milliseconds before the source is asked again after it failed; doubled each time. */
const FIRST_WAIT = 100;
const LONGEST_WAIT = 2_000;
/** The longest that a timer takes, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Hears of changes from when it is made, so that none between a grant and the wait after it is missed. */
export interface Follower {
  /** Settles once something touched the digests since the last wait, after the time, or when aborted. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface ChangeFeed {
  follow(digests: readonly Digest[]): Follower;
  /** Tells every follower, whatever its digests. */
  touchAll(): void;
  /** Settles when the feed has stopped. */
  close(): Promise<void>;
}

/** Watches the source for as long as the agent runs and tells each follower. */
export function openChangeFeed(source: IdentitySource, onFailure: (error: unknown) => void): ChangeFeed {
  const stopped = new AbortController();
  const followers = new Set<(touched: Change["touched"]) => void>();

  const tellAll = (touched: Change["touched"]) => {
    for (const tell of followers) tell(touched);
  };

  async function watch(): Promise<void> {
    let asOf: number | undefined;
    let failures = 0;
    while (!stopped.signal.aborted) {
      try {
        const change = await source.watch(asOf, stopped.signal);
        // Until the first answer nobody was listening: what was granted before is asked for anew.
        const touched = asOf === undefined ? "all" : change.touched;
        asOf = change.asOf;
        failures = 0;
        tellAll(touched);
      } catch (error) {
        if (stopped.signal.aborted) return;
        if (failures === 0) onFailure(error);
        const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures);
        failures += 1;
        await sleep(wait, undefined, { signal: stopped.signal }).catch(() => {});
      }
    }
  }
  const watching = watch();

  return {
    follow(digests) {
      let isTouched = false;
      let wake = () => {};
      const tell = (touched: Change["touched"]) => {
        if (touched !== "all" && !touched.some((digest) => digests.includes(digest))) return;
        isTouched = true;
        wake();
      };
      followers.add(tell);
      return {
        async wait(milliseconds, signal) {
          if (!isTouched && !signal.aborted) {
            await new Promise<void>((resolve) => {
              const timer = setTimeout(resolve, Math.min(milliseconds, LONGEST_TIMER));
              wake = () => {
                clearTimeout(timer);
                resolve();
              };
              signal.addEventListener("abort", wake, { once: true });
            });
            signal.removeEventListener("abort", wake);
          }
          isTouched = false;
        },
        close: () => followers.delete(tell),
      };
    },
    touchAll: () => tellAll("all"),
    async close() {
      stopped.abort();
      await watching;
    },
  };
}
