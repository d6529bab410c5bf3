import { createPublicKey } from "node:crypto";
import { VouchsafeError } from "../errors.ts";
import type { Peer } from "./attest.ts";
import type { AttestedWorkload } from "./attested-workload.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { IdentitySource, X509Grants } from "./identity-source.ts";
import { newKey, requestFor } from "./key-request.ts";

/** What a workload holds until the next of it. */
export interface X509Holding {
  readonly workload: AttestedWorkload;
  /** PKCS#8 DER: it exists here and in the workload, and nowhere else. */
  readonly privateKey: Uint8Array;
  readonly grants: X509Grants;
}

export interface RotationOptions {
  readonly source: IdentitySource;
  readonly feed: ChangeFeed;
  /** Milliseconds since the epoch. */
  clock(): number;
  /** From 0 to 1, for jitter. */
  random(): number;
}

/** Milliseconds before a renewal is tried again that the source could not answer; doubled each time. */
const FIRST_RETRY = 250;
const LONGEST_RETRY = 10_000;

/**
 * A workload's X.509-SVIDs, one after another: the next is asked for at half the life of the last, and at once
 * when something touches the workload's digest. The process is attested anew each time.
 *
 * Throws what the source or the attestation throws: at the first one whatever it is; later a denial at once, and
 * anything else when the last SVID has expired, since until then the source may answer again. Ends when aborted.
 */
export async function* x509Holdings(
  peer: Peer,
  { source, feed, clock, random }: RotationOptions,
  signal: AbortSignal,
): AsyncGenerator<X509Holding> {
  const { digests } = await peer.attest();
  // Followed before anything is granted, so that what happens meanwhile is not missed.
  const follower = feed.follow(digests);
  try {
    let held: X509Holding | undefined;
    let failures = 0;
    while (!signal.aborted) {
      try {
        held = await obtain(peer, source, held);
        failures = 0;
        yield held;
        await follower.wait((expiryOf(held) - clock()) * (0.45 + 0.1 * random()), signal);
      } catch (error) {
        const left = held === undefined ? 0 : expiryOf(held) - clock();
        if (isFinal(error) || left <= 0) throw error;
        await follower.wait(Math.min(left, LONGEST_RETRY, FIRST_RETRY * 2 ** failures), signal);
        failures += 1;
      }
    }
  } finally {
    follower.close();
  }
}

async function obtain(
  peer: Peer,
  source: IdentitySource,
  held: X509Holding | undefined,
): Promise<X509Holding> {
  const workload = await peer.attest();
  const key = await newKey();
  const renews = held?.grants.svids.map(({ serial }) => serial) ?? [];
  const grants = await source.fetchX509(workload, requestFor(key, createPublicKey(key)), renews);
  // The source may be far away: nothing is handed to a process that became another meanwhile.
  await peer.attest();
  return { workload, grants, privateKey: key.export({ format: "der", type: "pkcs8" }) };
}

function expiryOf({ grants }: X509Holding): number {
  return Math.min(...grants.svids.map(({ expiresAt }) => expiresAt));
}

/** Whether asking again would be answered the same. */
function isFinal(error: unknown): boolean {
  return !(error instanceof VouchsafeError) || error.code === "identity-denied";
}
