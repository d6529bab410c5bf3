import { createPublicKey } from "node:crypto";
import { openGate } from "../gate.ts";
import type { TrustBundle } from "../identity/trust-bundle.ts";
import { validateX509Svid } from "../identity/x509-validation.ts";
import { type AttestedWorkload, digestsOf } from "./attested-workload.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { forgetOldest } from "./forget-oldest.ts";
import type { IdentitySource, JwtGrant, X509Grants } from "./identity-source.ts";
import { type KeptGrant, keepGrant } from "./kept-grant.ts";
import { newKey, requestFor } from "./key-request.ts";
import { PATIENCE } from "./wait.ts";

/** X.509-SVIDs and the one key that they are of. */
export interface X509Holding {
  /** PKCS#8 DER: it exists here and in the workloads that were given it, and nowhere else. */
  readonly privateKey: Uint8Array;
  readonly grants: X509Grants;
}

/** What all processes that are attested to be the same are given. */
export interface Holding {
  /** @param patience see `KeptGrant`. Throws what the source throws. */
  x509(patience: number): Promise<X509Holding>;
  /** Throws what the source throws. */
  jwt(audiences: readonly string[], spiffeId?: string): Promise<readonly JwtGrant[]>;
  /** Counts what may make `x509` answer otherwise than before. */
  version(): number;
  /**
   * Settles when `x509` may answer otherwise than at this version, by what happened or by time, and after so many
   * milliseconds at the latest; or when aborted.
   */
  changed(version: number, atMost: number, signal: AbortSignal): Promise<void>;
  /** Has whoever waits look again, and asks anew for what this bundle does not verify. */
  bundleChanged(bundle: TrustBundle): void;
  /** Whether somebody waits for it, or for an answer of the source. */
  isInUse(): boolean;
  /** Whether there is anything in it that could be handed out. */
  isLive(): boolean;
  /** Forgets it. */
  close(): void;
}

export interface HoldingOptions {
  readonly source: IdentitySource;
  readonly feed: ChangeFeed;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
}

/** A workload chooses its audiences: those that it asked for last are kept. */
const MAX_JWTS = 32;
/** A workload may ask for as many audiences as it likes, and not keep others from being answered. */
const JWT_REQUESTS = { atOnce: 4, waiting: 256 };
/** The longest that a timer takes, in milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

export function openHolding(workload: AttestedWorkload, options: HoldingOptions): Holding {
  const { source, feed, clock, random } = options;
  const waiting = new Set<() => void>();
  const jwts = new Map<string, KeptGrant<readonly JwtGrant[]>>();
  const jwtGate = openGate(JWT_REQUESTS);
  let version = 0;
  let isClosed = false;

  const changed = () => {
    version += 1;
    for (const wake of waiting) wake();
  };
  const x509 = keepGrant<X509Holding>({
    ask: (held) => obtain(source, workload, held),
    expiryOf,
    clock,
    random,
    onChange: () => {
      // What was denied, or cannot be had, was granted on the same grounds.
      if (x509.live() === undefined) jwts.clear();
      changed();
    },
  });
  const touch = () => {
    x509.touch();
    jwts.clear();
    changed();
  };
  // Followed before anything is granted, so that what happens meanwhile is not missed.
  const unfollow = feed.follow(digestsOf(workload), touch);

  return {
    x509: x509.get,
    async jwt(audiences, spiffeId) {
      const key = JSON.stringify([[...new Set(audiences)].sort(), spiffeId ?? null]);
      const kept =
        jwts.get(key) ??
        keepGrant({
          ask: () => jwtGate(() => source.fetchJwt(workload, audiences, spiffeId)),
          expiryOf: soonestOf,
          clock,
          random,
          onChange: () => {},
        });
      jwts.delete(key);
      jwts.set(key, kept);
      forgetOldest(jwts, MAX_JWTS);
      try {
        return await kept.get(PATIENCE);
      } finally {
        if (kept.live() === undefined && !kept.isAsking() && jwts.get(key) === kept) jwts.delete(key);
      }
    },
    version: () => version,
    async changed(since, atMost, signal) {
      const wait = Math.min(x509.dueIn(), atMost, LONGEST_TIMER);
      if (version !== since || wait <= 0 || isClosed || signal.aborted) return;
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          waiting.delete(wake);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        const timer = setTimeout(wake, wait);
        waiting.add(wake);
        signal.addEventListener("abort", wake, { once: true });
      });
    },
    bundleChanged(bundle) {
      const held = x509.live();
      if (held !== undefined && !isVerifiedBy(bundle, held, clock())) x509.touch();
      // Few and cheap: which key signed which is not worth the looking.
      jwts.clear();
      changed();
    },
    isInUse: () => waiting.size > 0 || x509.isAsking() || [...jwts.values()].some((jwt) => jwt.isAsking()),
    isLive: () => x509.live() !== undefined || [...jwts.values()].some((jwt) => jwt.live() !== undefined),
    close() {
      isClosed = true;
      unfollow();
      changed();
    },
  };
}

/** What a stream may hold on to, in milliseconds since the epoch. */
export function expiryOf({ grants }: X509Holding): number {
  return soonestOf(grants.svids);
}

function soonestOf(grants: readonly { readonly expiresAt: number }[]): number {
  return Math.min(...grants.map(({ expiresAt }) => expiresAt));
}

async function obtain(
  source: IdentitySource,
  workload: AttestedWorkload,
  held: X509Holding | undefined,
): Promise<X509Holding> {
  const key = await newKey();
  const renews = held?.grants.svids.map(({ serial }) => serial) ?? [];
  const grants = await source.fetchX509(workload, requestFor(key, createPublicKey(key)), renews);
  return { grants, privateKey: key.export({ format: "der", type: "pkcs8" }) };
}

function isVerifiedBy(bundle: TrustBundle, { grants }: X509Holding, now: number): boolean {
  try {
    for (const { chain } of grants.svids) validateX509Svid(chain, bundle, now);
    return true;
  } catch {
    return false;
  }
}
