/** A bearer token that changes: of a CI system that gives out tokens for minutes, or in a file that is written anew. */
export interface TokenSource {
  /** The token to show now. Throws what is to be told when there is none. */
  current(): Promise<string>;
  /**
   * The server did not take the last one (401): another, or undefined where there is none. It may have ended on the way,
   * or been good for one call.
   */
  renewed(): Promise<string | undefined>;
}

/** A file that another program keeps: read for each call, as Kubernetes writes projected tokens anew. */
export function readAnew(read: () => string): TokenSource {
  let last: string | undefined;
  return {
    async current() {
      last = read();
      return last;
    },
    async renewed() {
      const now = read();
      return now === last ? undefined : now;
    },
  };
}

/** Asks for a token when it is needed, and again for the next in the last minute of its life. */
export function keptWhileGood(
  ask: () => Promise<string>,
  expiresAt: (token: string) => number | undefined,
  clock: () => number,
): TokenSource {
  let held: { readonly token: Promise<string>; readonly until: number } | undefined;

  async function fetchAnew(): Promise<string> {
    const token = ask();
    // Calls at the same time share one request for a token.
    held = { token, until: Number.POSITIVE_INFINITY };
    try {
      held = { token, until: (expiresAt(await token) ?? 0) - LAST_MINUTE };
    } catch (error) {
      held = undefined;
      throw error;
    }
    return token;
  }
  return {
    current: () => (held !== undefined && clock() < held.until ? held.token : fetchAnew()),
    renewed: fetchAnew,
  };
}

/** Milliseconds. */
const LAST_MINUTE = 60_000;
