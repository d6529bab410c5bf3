import { createClient } from "../../client/client.ts";
import type { Decision } from "../../client/types.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { forgetOldest } from "../forget-oldest.ts";

/** What one policy says of one digest, as far as it lets it through. */
export interface Allowed {
  readonly slsaLevel: number;
}

/** Undefined where it is denied. Throws `ApiError` where nothing is known. */
export type AskPolicy = (digest: Digest, policy: string) => Promise<Allowed | undefined>;

export interface AskOptions {
  readonly server: string;
  /** Read at each question, so that a token can be replaced. */
  readonly token: () => Promise<string>;
  readonly clock: () => number;
}

/** Milliseconds that a question may take, its repetitions among them. */
const PATIENCE = 5_000;
/** Milliseconds that an answer serves others who ask the same: many processes of one program start at once. */
const ANSWER_LIFE = 1_000;
const MAX_REMEMBERED = 4_096;

/**
 * Asks a server whether digests pass policies. An answer serves for a second and never beyond its `validUntil`; without a
 * server there is none.
 */
export function createAskPolicy({ server, token, clock }: AskOptions): AskPolicy {
  const remembered = new Map<string, { readonly answer: Promise<Decision>; readonly until: number }>();

  async function ask(digest: Digest, policy: string): Promise<Decision> {
    const signal = AbortSignal.timeout(PATIENCE);
    const client = createClient({ server, token: await token(), timeout: PATIENCE, signal });
    return client.verifyDigest(digest, { policy });
  }

  function answerTo(digest: Digest, policy: string): Promise<Decision> {
    const key = `${digest} ${policy}`;
    const known = remembered.get(key);
    if (known !== undefined && clock() < known.until) return known.answer;
    const answer = ask(digest, policy);
    remembered.delete(key);
    remembered.set(key, { answer, until: clock() + ANSWER_LIFE });
    answer.catch(() => {
      if (remembered.get(key)?.answer === answer) remembered.delete(key);
    });
    forgetOldest(remembered, MAX_REMEMBERED);
    return answer;
  }

  return async (digest, policy) => {
    const { decision, enforced, validUntil, slsaLevel } = await answerTo(digest, policy);
    // An allow that no policy in force vouches for is told to operators and grounds nothing.
    if (decision !== "allow" || !enforced) return undefined;
    // Written so that what is no time is over.
    if (validUntil !== null && !(clock() < Date.parse(validUntil))) return undefined;
    return { slsaLevel };
  };
}
