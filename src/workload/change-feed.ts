import type { Digest } from "../in-toto-attestation/types.ts";
import { backoff } from "./backoff.ts";
import type { Change, IdentitySource } from "./identity-source.ts";
import { wait } from "./wait.ts";

const RETRY = { first: 200, longest: 4_000 };

export interface ChangeFeed {
  /** Calls back whenever something touched one of the digests, from now until the answer is called. */
  follow(digests: readonly Digest[], onTouched: () => void): () => void;
  /** Settles when the feed has stopped. */
  close(): Promise<void>;
}

export interface ChangeFeedOptions {
  readonly source: IdentitySource;
  /** The first failure after a success. */
  readonly onFailure: (error: unknown) => void;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
}

/** Watches the source for as long as the agent runs and tells each follower. */
export function openChangeFeed({ source, onFailure, random }: ChangeFeedOptions): ChangeFeed {
  const stopped = new AbortController();
  const followers = new Set<(touched: Change["touched"]) => void>();

  async function watch(): Promise<void> {
    let asOf: number | undefined;
    let failures = 0;
    while (!stopped.signal.aborted) {
      try {
        const change = await source.watch(asOf, stopped.signal);
        // Until the first answer nobody was listening: what was granted before is asked for anew. After an outage it
        // is not: the source goes on from where it was, and names what was touched meanwhile.
        const touched = asOf === undefined ? "all" : change.touched;
        asOf = change.asOf;
        failures = 0;
        for (const tell of followers) tell(touched);
      } catch (error) {
        if (stopped.signal.aborted) return;
        if (failures === 0) onFailure(error);
        failures += 1;
        await wait(backoff(RETRY, failures, random), stopped.signal);
      }
    }
  }
  const watching = watch();

  return {
    follow(digests, onTouched) {
      const tell = (touched: Change["touched"]) => {
        if (touched === "all" || touched.some((digest) => digests.includes(digest))) onTouched();
      };
      followers.add(tell);
      return () => followers.delete(tell);
    },
    async close() {
      stopped.abort();
      await watching;
    },
  };
}
