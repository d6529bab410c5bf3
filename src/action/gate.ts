import { setTimeout as sleep } from "node:timers/promises";
import { decisionAmong } from "../cli/arguments/known-digest.ts";
import { ApiError } from "../client/api-error.ts";
import type { Client, Question } from "../client/client.ts";
import type { Decision } from "../client/types.ts";

export interface Gate extends Question {
  /** Milliseconds that a denial may take to become an allow: approvals are given, scans arrive. */
  readonly wait: number;
  /** Told before each further try. */
  readonly onWaiting: (denied: number) => void;
}

/** What one request may ask. */
const MOST_AT_ONCE = 256;
/** Milliseconds between tries, doubled up to the longest. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;

/**
 * Asks for a decision on each artifact until all are allowed, or the wait is over: all together each time, so that the answer
 * is of one moment. Throws `ApiError` if at its end no decision was to be had.
 *
 * @param artifacts the digests of each; nothing is asked about one without
 * @returns the decision on each, in their order; undefined for one without digests
 */
export async function askUntilAllowed(
  client: Client,
  artifacts: readonly (readonly string[])[],
  { wait, onWaiting, ...question }: Gate,
): Promise<readonly (Decision | undefined)[]> {
  const digests = [...new Set(artifacts.flat())];
  const until = performance.now() + wait;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    const left = until - performance.now();
    let denied = artifacts.length;
    try {
      const byDigest = await ask(client, digests, question);
      const decisions = artifacts.map((artifact) =>
        decisionAmong(artifact.flatMap((digest) => byDigest.get(digest) ?? [])),
      );
      denied = decisions.filter((one) => one?.decision === "deny").length;
      if (denied === 0 || left <= 0) return decisions;
    } catch (error) {
      if (left <= 0 || !(error instanceof ApiError) || !isPassing(error)) throw error;
    }
    onWaiting(denied);
    await sleep(Math.min(pause, left));
  }
}

async function ask(client: Client, digests: readonly string[], question: Question) {
  const decisions = new Map<string, Decision>();
  for (let at = 0; at < digests.length; at += MOST_AT_ONCE) {
    const asked = digests.slice(at, at + MOST_AT_ONCE);
    for (const decision of await client.verifyDigests(asked, question)) {
      decisions.set(decision.digest, decision);
    }
  }
  return decisions;
}

/** What a restart of the server or a moment of load brings. */
function isPassing({ status }: ApiError): boolean {
  return status === undefined || status === 429 || status >= 500;
}
