import { hash, type KeyObject } from "node:crypto";
import { VouchsafeError } from "../errors.ts";
import { decodeBase64, type JsonObject } from "../in-toto-attestation/index.ts";
import { encodePart, readCompactJws, signEs256 } from "./jws.ts";
import { verifyJwtSignature } from "./jwt-signatures.ts";
import type { SpiffeId } from "./spiffe-id.ts";
import type { TrustBundle } from "./trust-bundle.ts";
import { parseX509Svid, validateX509Svid, type X509Svid } from "./x509-validation.ts";

/** An SVID and the P-256 key that it is of. */
export interface SvidCredential {
  readonly spiffeId: SpiffeId;
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly key: KeyObject;
}

/** What a proof is for: it is good for nothing else. */
export interface ProofTerms {
  readonly typ: string;
  /** Whom it is addressed to. */
  readonly aud: SpiffeId;
  /** Claims that bind it to one request. */
  readonly binding: Readonly<Record<string, string>>;
}

/** Who proved to have the key of its SVID. */
export interface SvidProof extends X509Svid {
  readonly jti: string;
  /** Until when the jti must not be taken again, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Seconds from `iat` to `exp`, at most. */
const MAX_LIFETIME = 60;
/** Seconds that the other's clock may be off by, either way. */
const CLOCK_SKEW = 10;

const HEADER_MEMBERS = ["alg", "typ", "x5c"].join();
const CLAIMS = ["aud", "exp", "iat", "jti", "sub"];
/** 128 random bits, base64url. */
const JTI = /^[A-Za-z0-9_-]{22}$/;

/**
 * A compact JWS that proves, for a minute, to have the key of an SVID (docs/svid.md, "The agent's proof"). `random` is 16
 * bytes that are never used twice; `now` in milliseconds since the epoch.
 */
export function makeSvidProof(
  { spiffeId, chain, key }: SvidCredential,
  { typ, aud, binding }: ProofTerms,
  random: Uint8Array,
  now: number,
): string {
  const iat = Math.floor(now / 1000);
  const header = { alg: "ES256", typ, x5c: chain.map((der) => Buffer.from(der).toString("base64")) };
  const jti = Buffer.from(random).toString("base64url");
  const claims = { ...binding, sub: spiffeId, aud, iat, exp: iat + MAX_LIFETIME, jti };
  return signEs256(encodePart(header), claims, key);
}

/**
 * Verifies a proof by the bundle of its SVID's trust domain. Whether the jti was seen before is for the caller to look up.
 *
 * @param bundleFor what the SVID, which is not verified yet, has to hold against; undefined where it is nobody's
 *
 * Throws `VouchsafeError` (`agent-proof-invalid`).
 */
export function verifySvidProof(
  token: string,
  { typ, aud, binding }: ProofTerms,
  bundleFor: (claimed: SpiffeId) => TrustBundle | undefined,
  now: number,
): SvidProof {
  const { header, payload: claims, signed, signature } = readCompactJws(token, refusedProof);
  if (membersOf(header) !== HEADER_MEMBERS || header.typ !== typ || header.alg !== "ES256") {
    throw refusedProof("its header is not that of a proof");
  }
  const svid = validateChain(chainOf(header), bundleFor, now);
  if (!verifyJwtSignature(svid.publicKey, "ES256", signed, signature)) {
    throw refusedProof("its signature is not of its certificate's key");
  }

  if (membersOf(claims) !== [...CLAIMS, ...Object.keys(binding)].sort().join()) {
    throw refusedProof("it does not have exactly the claims of a proof");
  }
  if (claims.sub !== svid.spiffeId) throw refusedProof("its subject is not its certificate's");
  if (claims.aud !== aud) throw refusedProof("it is for another server");
  const { exp, jti } = claims;
  assertNow(claims, now);
  for (const [claim, value] of Object.entries(binding)) {
    if (claims[claim] !== value) throw refusedProof("it is of another request");
  }
  if (typeof jti !== "string" || !JTI.test(jti)) throw refusedProof("its jti is not 128 bits");
  return { ...svid, jti, expiresAt: (Number(exp) + CLOCK_SKEW) * 1000 };
}

/** base64url of the sha256: what binds a proof to bytes. */
export function hashOf(bytes: Uint8Array): string {
  return hash("sha256", bytes, "base64url");
}

function assertNow({ iat, exp }: JsonObject, now: number): void {
  if (!isWholeNumber(iat) || !isWholeNumber(exp) || exp <= iat || exp - iat > MAX_LIFETIME) {
    throw refusedProof(`it is not valid for a time of at most ${MAX_LIFETIME} seconds`);
  }
  if (now < (iat - CLOCK_SKEW) * 1000) throw refusedProof("it is not valid yet: compare the clocks");
  if (now >= (exp + CLOCK_SKEW) * 1000) throw refusedProof("it has expired: compare the clocks");
}

function isWholeNumber(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function chainOf({ x5c }: JsonObject): Uint8Array[] {
  const chain = (Array.isArray(x5c) ? x5c : []).map((text) =>
    typeof text === "string" ? decodeBase64(text) : undefined,
  );
  if (!chain.every((der) => der !== undefined)) throw refusedProof("its x5c is not a list of certificates");
  return chain;
}

function validateChain(
  chain: readonly Uint8Array[],
  bundleFor: (claimed: SpiffeId) => TrustBundle | undefined,
  now: number,
): X509Svid {
  try {
    const bundle = bundleFor(parseX509Svid(chain).spiffeId);
    if (bundle === undefined) throw refusedProof("its certificate is of a trust domain that is not believed");
    return validateX509Svid(chain, bundle, now);
  } catch (error) {
    if (error instanceof VouchsafeError) throw refusedProof("its certificate does not hold", error);
    throw error;
  }
}

function membersOf(object: JsonObject): string {
  return Object.keys(object).sort().join();
}

export function refusedProof(what: string, cause?: unknown): VouchsafeError {
  const options = cause === undefined ? {} : { cause };
  return new VouchsafeError("agent-proof-invalid", `the agent's proof is refused: ${what}`, options);
}
