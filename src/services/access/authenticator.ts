import { hash } from "node:crypto";
import { isRefusal } from "../../errors.ts";
import type { Caller } from "../caller.ts";

/** Who bearer tokens stand for, remembered for a moment. */
export interface Authenticator {
  /** The caller at once, where it was looked up so lately that `authenticate` would give it without another look-up. */
  recall(bearer: string, project?: string): Caller | undefined;
  /** @throws VouchsafeError `unauthenticated`, and what the look-up throws when it cannot answer */
  authenticate(bearer: string, project?: string): Promise<Caller>;
  /** Forgets a token that was revoked here, so that its next use asks the database. */
  forget(token: string): void;
}

/** What a look-up finds. */
export interface Authenticated {
  readonly caller: Caller;
  /** When the token ends, in milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Whether it was good for this request alone. */
  readonly once?: true;
}

export interface AuthenticatorOptions {
  /** @param project the one that the caller names: a credential may stand for a caller in several */
  readonly lookUp: (bearer: string, project: string | undefined) => Promise<Authenticated>;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** How long after a look-up a token is believed without another: how late a revocation elsewhere may bite. */
  readonly freshFor: number;
  /** How long it is believed when no look-up can be made: the node's staleness bound, and no longer. */
  readonly staleFor: number;
  /** Tokens remembered; the one looked up first leaves first. */
  readonly maxTokens: number;
}

interface Remembered extends Authenticated {
  readonly at: number;
}

/**
 * Spares a database look-up for each call, and lets a node that has lost its database answer from what it knows
 * within its staleness bound. Only callers are remembered, never refusals; by the sha256 of the token, so that no
 * secret stays in memory. What is good for one request is not remembered, nor shared by requests that come at once.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { lookUp, clock, freshFor, staleFor, maxTokens } = options;
  const remembered = new Map<string, Remembered>();
  const asking = new Map<string, Promise<Authenticated>>();
  /** How often a token was forgotten. */
  let forgotten = 0;

  async function ask(
    key: string,
    [bearer, project]: readonly [string, string | undefined],
    last: Remembered | undefined,
  ): Promise<Authenticated> {
    const at = clock();
    const before = forgotten;
    try {
      const found = await lookUp(bearer, project);
      // What was read before a revocation is for whoever asked before it, and for nobody after.
      if (before !== forgotten) return found;
      remembered.delete(key);
      if (found.once) return found;
      remembered.set(key, { ...found, at });
      if (remembered.size > maxTokens) remembered.delete(remembered.keys().next().value as string);
      return found;
    } catch (error) {
      if (isRefusal(error)) remembered.delete(key);
      else if (last && before === forgotten && isWithin(last, staleFor)) return last;
      throw error;
    }
  }

  /** However lately it was looked up, a token that has ended is believed no longer. */
  function isWithin({ at, expiresAt }: Remembered, time: number): boolean {
    const now = clock();
    return now - at < time && now < expiresAt;
  }

  function freshOf(last: Remembered | undefined): Caller | undefined {
    return last && isWithin(last, freshFor) ? last.caller : undefined;
  }

  return {
    recall: (bearer, project) => freshOf(remembered.get(keyOf(bearer, project))),
    async authenticate(bearer, project) {
      const key = keyOf(bearer, project);
      const last = remembered.get(key);
      const fresh = freshOf(last);
      if (fresh) return fresh;
      // Many calls with one token that has just gone stale share one look-up.
      const shared = asking.get(key);
      const found = shared === undefined ? undefined : await shared;
      if (found !== undefined && !found.once) return found.caller;
      const answer = ask(key, [bearer, project], last).finally(() => {
        if (asking.get(key) === answer) asking.delete(key);
      });
      asking.set(key, answer);
      return (await answer).caller;
    },
    forget(token) {
      forgotten += 1;
      asking.clear();
      for (const [key, { caller }] of remembered) if (caller.token === token) remembered.delete(key);
    },
  };
}

/** No credential has a space in it. */
function keyOf(bearer: string, project: string | undefined): string {
  return hash("sha256", project === undefined ? bearer : `${bearer} ${project}`, "base64");
}
