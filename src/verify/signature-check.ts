import { constants, type KeyObject, verify } from "node:crypto";
import { verifyDigest } from "./digest-signature.ts";
import type { Signed } from "./signed.ts";

/** How a key signs. Chosen by tables from the key and the context, never by what a message claims. */
export interface Scheme {
  /** Null for Ed25519, which signs the message itself. */
  readonly hash: "sha256" | "sha384" | "sha512" | null;
  /** For RSA alone (RFC 8017 §8). */
  readonly padding?: "pkcs1" | "pss";
  /** For Ed25519 alone: its variant Ed25519ph, which signs a digest (RFC 8032 §5.1). */
  readonly prehashed?: true;
}

/** One public-key operation that a verdict rests on. */
export interface SignatureCheck {
  readonly key: KeyObject;
  readonly scheme: Scheme;
  readonly signed: Signed;
  /** ECDSA: DER. */
  readonly signature: Uint8Array;
}

/** Something that holds if all its signatures do. */
export interface Claim<Found> {
  readonly checks: readonly SignatureCheck[];
  readonly found: Found;
}

/**
 * A verification, written once and run in two ways: it hands out signatures to check, all that can be checked at
 * once together, and is given an answer for each.
 */
export type Verification<T> = Generator<readonly SignatureCheck[], T, readonly boolean[]>;

/** Runs a verification on the calling thread. */
export function checkNow<T>(verification: Verification<T>): T {
  let step = verification.next();
  while (!step.done) step = verification.next(step.value.map(holds));
  return step.value;
}

/** Runs a verification with its signatures checked on Node's thread pool, so that the event loop stays free. */
export async function checkOnThreads<T>(verification: Verification<T>): Promise<T> {
  let step = verification.next();
  while (!step.done) step = verification.next(await Promise.all(step.value.map(holdsOnThread)));
  return step.value;
}

/** For each group of claims, what those that hold found. */
type Holding<Groups extends readonly (readonly Claim<unknown>[])[]> = {
  [K in keyof Groups]: Groups[K] extends readonly Claim<infer Found>[] ? Found[] : never;
};

/** Which claims of each group hold: one batch for the signatures of all of them. */
export function* holding<const Groups extends readonly (readonly Claim<unknown>[])[]>(
  groups: Groups,
): Verification<Holding<Groups>> {
  const answers = yield groups.flatMap((claims) => claims.flatMap(({ checks }) => checks));
  let at = 0;
  const holds = ({ checks }: Claim<unknown>) => {
    const from = at;
    at += checks.length;
    return answers.slice(from, at).every(Boolean);
  };
  // The answers are in the order of the groups and of their claims, so each claim takes as many as it asked for.
  return groups.map((claims) => claims.filter(holds).map(({ found }) => found)) as Holding<Groups>;
}

/** Whether it takes some milliseconds of the calling thread: over digests node:crypto verifies RSA alone. */
export function isInJavaScript(check: SignatureCheck): boolean {
  return bytesOf(check) === undefined && check.scheme.padding === undefined;
}

/** What node:crypto verifies it over. Undefined where a digest is all there is, or what was signed. */
function bytesOf({ scheme, signed }: SignatureCheck): Uint8Array | undefined {
  return scheme.prehashed ? undefined : signed.bytes;
}

/** False too for whatever makes the library throw: a signature that cannot be read is of nobody. */
function holds(check: SignatureCheck): boolean {
  const { key, scheme, signed, signature } = check;
  const bytes = bytesOf(check);
  try {
    if (bytes === undefined) return verifyDigest(key, scheme, signed, signature);
    return verify(scheme.hash, bytes, withPadding(key, scheme), signature);
  } catch {
    return false;
  }
}

function holdsOnThread(check: SignatureCheck): boolean | Promise<boolean> {
  const { key, scheme, signature } = check;
  const bytes = bytesOf(check);
  // Over a digest there is no call of node:crypto that could wait on another thread.
  if (bytes === undefined) return holds(check);
  return new Promise((resolve) => {
    try {
      verify(scheme.hash, bytes, withPadding(key, scheme), signature, (error, held) =>
        resolve(error === null && held),
      );
    } catch {
      resolve(false);
    }
  });
}

function withPadding(key: KeyObject, { padding }: Scheme) {
  return padding === undefined ? key : { key, ...PADDINGS[padding] };
}

const PADDINGS = {
  pkcs1: { padding: constants.RSA_PKCS1_PADDING },
  pss: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO },
} as const;
