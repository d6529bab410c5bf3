import { VouchsafeError } from "../errors.ts";
import type { JsonObject, JsonValue } from "../in-toto-attestation/index.ts";
import { type Grounds, groundsClaim, readGroundsClaim } from "./grounds.ts";
import { compactEs256, compactRs256, encodePart, readCompactJws, signingInput } from "./jws.ts";
import { verifyJwtSignature } from "./jwt-signatures.ts";
import type { Signer } from "./signer.ts";
import { parseSpiffeId, type SpiffeId, type TrustDomain, trustDomainOf } from "./spiffe-id.ts";
import type { TrustBundle } from "./trust-bundle.ts";

export interface JwtSvidRequest {
  readonly spiffeId: SpiffeId;
  /** The URL of OIDC discovery, where the trust domain has one. */
  readonly issuer?: string;
  /** At least one. */
  readonly audiences: readonly string[];
  /** Milliseconds since the epoch; written in whole seconds, rounded down. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Names the token in the log. */
  readonly jti: string;
  readonly grounds: Grounds;
}

/** What signs JWT-SVIDs: an ES256 or RS256 key, and the key ID that the trust bundle knows it by. */
export interface JwtAuthority {
  readonly jwtKey: Signer;
  readonly jwtKeyId: string;
}

export type JwtMinter = (request: JwtSvidRequest) => Promise<string>;

/** The private claim that carries the grounds (docs/svid.md). */
export const GROUNDS_CLAIM = "vouchsafe.dev/grounds";

/** Makes JWT-SVIDs (JWT-SVID.md), signed as the key has it. */
export function createJwtMinter({ jwtKey, jwtKeyId }: JwtAuthority): JwtMinter {
  const { algorithm } = jwtKey;
  const header = encodePart({ alg: algorithm, kid: jwtKeyId, typ: "JWT" });
  const compact = algorithm === "RS256" ? compactRs256 : compactEs256;
  return async ({ spiffeId, issuer, audiences, issuedAt, expiresAt, jti, grounds }) => {
    const signed = signingInput(header, {
      ...(issuer !== undefined && { iss: issuer }),
      sub: spiffeId,
      aud: audiences,
      iat: seconds(issuedAt),
      exp: seconds(expiresAt),
      jti,
      [GROUNDS_CLAIM]: groundsClaim(grounds),
    });
    return compact(signed, await jwtKey.sign(signed));
  };
}

/** A JWT-SVID that was validated. */
export interface JwtSvid {
  readonly spiffeId: SpiffeId;
  readonly audiences: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Every claim, as signed. */
  readonly claims: JsonObject;
  /** Absent where its authority says nothing of an artifact. */
  readonly grounds?: Grounds;
}

/** How far clocks may differ in `iat` and `nbf`. No leeway is given after `exp`. */
const CLOCK_SKEW = 60_000;
const HEADER_MEMBERS: readonly string[] = ["alg", "kid", "typ"];

/**
 * Validates a JWT-SVID for an audience, against its trust domain's bundle, at a time in milliseconds since the
 * epoch (JWT-SVID.md, appendix A). The key ID chooses the key and the key the algorithms: a token has no say
 * beyond naming one of them.
 *
 * Throws `VouchsafeError` (`invalid-svid`).
 */
export function validateJwtSvid(token: string, bundle: TrustBundle, audience: string, now: number): JwtSvid {
  const { header, payload: claims, signed, signature } = readCompactJws(token, invalid);
  const { alg, kid, typ } = header;
  if (!Object.keys(header).every((member) => HEADER_MEMBERS.includes(member))) {
    throw invalid("its header has a member that no JWT-SVID has");
  }
  if (typ !== undefined && typ !== "JWT" && typ !== "JOSE") throw invalid("its type is not JWT");
  if (typeof alg !== "string" || typeof kid !== "string") throw invalid("it names no algorithm or no key");
  const key = bundle.jwtAuthorities.get(kid);
  if (key === undefined) throw invalid("the trust bundle does not have its key");
  if (!verifyJwtSignature(key, alg, signed, signature)) throw invalid("its signature is not of its key");

  const spiffeId = subjectOf(claims);
  if (trustDomainOf(spiffeId) !== bundle.trustDomain) throw invalid("it is of another trust domain");
  const audiences = audiencesOf(claims);
  if (!audiences.includes(audience)) throw invalid("it is for another audience");
  const expiresAt = timeOf(claims.exp);
  if (expiresAt === undefined) throw invalid("it does not say when it expires");
  if (now >= expiresAt) throw invalid("it has expired");
  for (const start of [claims.nbf, claims.iat]) {
    if (start !== undefined && !((timeOf(start) ?? Number.POSITIVE_INFINITY) <= now + CLOCK_SKEW)) {
      throw invalid("it is not valid yet");
    }
  }
  const grounds = readGroundsClaim(claims[GROUNDS_CLAIM]);
  if (grounds === "malformed") throw invalid("its grounds are malformed");
  return { spiffeId, audiences, expiresAt, claims, ...(grounds === undefined ? {} : { grounds }) };
}

/** What a JWT-SVID says, none of it validated. */
export interface StatedJwtSvid {
  readonly spiffeId: SpiffeId;
  readonly audiences: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** As written; undefined where the header does not say. */
  readonly algorithm: string | undefined;
  readonly keyId: string | undefined;
  readonly claims: JsonObject;
  readonly grounds?: Grounds;
}

/**
 * Reads a JWT-SVID without validating it. Throws `VouchsafeError` (`invalid-svid`).
 */
export function parseJwtSvid(token: string): StatedJwtSvid {
  const { header, payload: claims } = readCompactJws(token, invalid);
  const expiresAt = timeOf(claims.exp);
  if (expiresAt === undefined) throw invalid("it does not say when it expires");
  const grounds = readGroundsClaim(claims[GROUNDS_CLAIM]);
  if (grounds === "malformed") throw invalid("its grounds are malformed");
  return {
    spiffeId: subjectOf(claims),
    audiences: audiencesOf(claims),
    expiresAt,
    algorithm: typeof header.alg === "string" ? header.alg : undefined,
    keyId: typeof header.kid === "string" ? header.kid : undefined,
    claims,
    ...(grounds && { grounds }),
  };
}

/**
 * The trust domain that a JWT-SVID says it is of: by whose bundle it is to be validated, and nothing more than that.
 *
 * Throws `VouchsafeError` (`invalid-svid`).
 */
export function claimedTrustDomain(token: string): TrustDomain {
  return trustDomainOf(subjectOf(readCompactJws(token, invalid).payload));
}

function subjectOf({ sub }: JsonObject): SpiffeId {
  if (typeof sub !== "string") throw invalid("it has no subject");
  try {
    return parseSpiffeId(sub);
  } catch (error) {
    if (error instanceof VouchsafeError) throw invalid("its subject is not a SPIFFE ID", error);
    throw error;
  }
}

/** RFC 7519 §4.1.3: one text or a list of them. */
function audiencesOf({ aud }: JsonObject): string[] {
  const audiences = Array.isArray(aud) ? aud : [aud];
  if (!audiences.every((one) => typeof one === "string" && one !== "")) {
    throw invalid("it has no audience, or one that is not a text");
  }
  return audiences;
}

/** A NumericDate (RFC 7519 §2), which may have a fraction, in milliseconds. */
function timeOf(value: JsonValue | undefined): number | undefined {
  return typeof value === "number" && value >= 0 ? value * 1000 : undefined;
}

function seconds(time: number): number {
  return Math.floor(time / 1000);
}

function invalid(what: string, cause?: unknown): VouchsafeError {
  const options = cause === undefined ? {} : { cause };
  return new VouchsafeError("invalid-svid", `the JWT-SVID is refused: ${what}`, options);
}
