import { VouchsafeError } from "../errors.ts";
import { backoff } from "./backoff.ts";
import { isDenial } from "./denied.ts";
import { within } from "./wait.ts";

/** What was granted once and is handed out until the next of it. */
export interface KeptGrant<T> {
  /**
   * What is held, while it is fresh; or else a new one, for which the source is asked once however many wait for it.
   * Where the source has no answer within so many milliseconds, what is held, until it expires, unless something touched
   * it.
   *
   * Throws what the source throws.
   */
  get(patience: number): Promise<T>;
  /** From here on it is asked for anew before it is handed out. */
  touch(): void;
  /** What is held and neither expired nor touched. */
  live(): T | undefined;
  /** Milliseconds until `get` asks the source, when nothing happens before. */
  dueIn(): number;
  isAsking(): boolean;
}

export interface KeptGrantOptions<T> {
  /** @param held what the new one takes the place of */
  readonly ask: (held: T | undefined) => Promise<T>;
  /** Milliseconds since the epoch. */
  readonly expiryOf: (grant: T) => number;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
  /** What is held is another, or nothing any more. */
  readonly onChange: () => void;
}

const RETRY = { first: 500, longest: 30_000 };

/** Keeps one grant, renewed at half its life, give or take a tenth. A denial ends what is held. */
export function keepGrant<T>({ ask, expiryOf, clock, random, onChange }: KeptGrantOptions<T>): KeptGrant<T> {
  let held: { grant: T; expiresAt: number; renewAt: number; asOf: number } | undefined;
  /** Counted, so that what is granted meanwhile is not mistaken for what was asked for after the touch. */
  let touches = 0;
  let asking: Promise<T> | undefined;
  let failures = 0;
  let retryAt = 0;

  async function obtain(): Promise<T> {
    const asOf = touches;
    try {
      const grant = await ask(held?.grant);
      const expiresAt = expiryOf(grant);
      if (expiresAt <= clock())
        throw new VouchsafeError("unavailable", "By this host's clock, what was granted has expired");
      const renewAt = clock() + (expiresAt - clock()) * (0.45 + 0.1 * random());
      held = { grant, expiresAt, renewAt, asOf };
      failures = 0;
      retryAt = 0;
      onChange();
      return grant;
    } catch (error) {
      if (isFinal(error)) {
        held = undefined;
        failures = 0;
        retryAt = 0;
        onChange();
      } else {
        failures += 1;
        retryAt = clock() + backoff(retryWithin(held?.expiresAt), failures, random);
      }
      throw error;
    }
  }
  /** Oftener towards the end: what waits for longer than is left would be lost, though the source is back. */
  function retryWithin(expiresAt = 0) {
    const longest = Math.max(RETRY.first, (expiresAt - clock()) / 4);
    return { ...RETRY, longest: Math.min(RETRY.longest, longest) };
  }
  function ripe() {
    return held !== undefined && held.asOf === touches && clock() < held.expiresAt ? held : undefined;
  }

  return {
    async get(patience) {
      const fresh = ripe();
      if (fresh !== undefined && clock() < Math.max(fresh.renewAt, retryAt)) return fresh.grant;
      asking ??= obtain().finally(() => {
        asking = undefined;
      });
      const answer = asking;
      try {
        const inTime = await within(fresh === undefined ? Number.POSITIVE_INFINITY : patience, answer);
        return inTime ?? ripe()?.grant ?? (await answer);
      } catch (error) {
        const left = isFinal(error) ? undefined : ripe();
        if (left === undefined) throw error;
        return left.grant;
      }
    },
    touch() {
      touches += 1;
      // At once, however often it failed before: a denial may be waiting.
      retryAt = 0;
    },
    live: () => ripe()?.grant,
    dueIn: () => Math.max(0, Math.max(ripe()?.renewAt ?? 0, retryAt) - clock()),
    isAsking: () => asking !== undefined,
  };
}

/** Whether asking again would be answered the same. */
export function isFinal(error: unknown): boolean {
  return !(error instanceof VouchsafeError) || isDenial(error);
}
