import { VouchsafeError } from "../errors.ts";
import { type JsonObject, type JsonValue, sha256 } from "../in-toto-attestation/index.ts";
import type { IssuerKey } from "./issuer-keys.ts";
import { type CompactJws, readCompactJws } from "./jws.ts";
import { verifyJwtSignature } from "./jwt-signatures.ts";

/** A JWT that may be an OIDC token, none of it verified: what it says chooses whose keys and rules it is held to. */
export interface StatedToken extends CompactJws {
  /** `iss`; undefined where it names none. */
  readonly issuer: string | undefined;
  /** `sub` */
  readonly subject: string | undefined;
  readonly keyId: string | undefined;
}

/** An OIDC token that was verified. */
export interface OidcToken {
  /** Every claim, as signed. */
  readonly claims: JsonObject;
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** sha256 of what was signed: names the token, however its signature is spelt. */
  readonly id: string;
}

/** Seconds from `iat` to `exp`, at most: longer-lived ones are secrets to be kept, which these take the place of. */
const MAX_LIFE = 24 * 60 * 60;
/** Seconds that the issuer's clock may be ahead. No leeway is given after `exp`. */
const CLOCK_SKEW = 60;
/** What a subject is at most (OpenID Connect Core 1.0 §2 asks for 255; those of long branches are longer). */
const MAX_SUBJECT = 2048;

/** Throws `VouchsafeError` (`unauthenticated`) for what is no JWT. */
export function readToken(text: string): StatedToken {
  const jws = readCompactJws(text, refused);
  const { iss, sub } = jws.payload;
  return { ...jws, issuer: textOf(iss), subject: textOf(sub), keyId: textOf(jws.header.kid) };
}

/**
 * Verifies a token of an issuer by a key that is the issuer's (OpenID Connect Core 1.0 §3.1.3.7; RFC 8725): for this
 * audience alone, and now. The key chooses the algorithm; the header's own keys and addresses are never looked at.
 *
 * @param now milliseconds since the epoch
 *
 * Throws `VouchsafeError` (`unauthenticated`).
 */
export function verifyOidcToken(
  { header, payload: claims, signed, signature }: StatedToken,
  { issuer, audience, key }: { readonly issuer: string; readonly audience: string; readonly key: IssuerKey },
  now: number,
): OidcToken {
  const { alg, typ, crit } = header;
  if (crit !== undefined) throw refused("it asks for an extension");
  if (typ !== undefined && !(typeof typ === "string" && /^jwt$/i.test(typ)))
    throw refused("its type is not JWT");
  if (typeof alg !== "string" || (key.alg !== undefined && key.alg !== alg)) {
    throw refused("its algorithm is not its key's");
  }
  if (!verifyJwtSignature(key.key, alg, signed, signature)) throw refused("its signature is not of its key");

  if (claims.iss !== issuer) throw refused("it is of another issuer");
  const audiences = [claims.aud].flat();
  // Whom else it is for could use it here.
  if (audiences.length !== 1 || audiences[0] !== audience) {
    throw refused("it is for another audience, or for several: ask for one for this server alone");
  }
  const subject = textOf(claims.sub);
  if (subject === undefined || subject === "" || subject.length > MAX_SUBJECT)
    throw refused("it has no subject");
  return { claims, subject, expiresAt: assertNow(claims, now / 1000) * 1000, id: sha256(signed) };
}

/** When it expires, in seconds. */
function assertNow({ exp, nbf, iat }: JsonObject, now: number): number {
  if (!isTime(exp) || !isTime(iat) || exp <= iat || exp - iat > MAX_LIFE) {
    throw refused(`it does not live for a time of at most ${MAX_LIFE} seconds`);
  }
  if (now >= exp) throw refused("it has expired");
  for (const start of [iat, nbf ?? iat]) {
    if (!isTime(start) || start > now + CLOCK_SKEW) throw refused("it is not valid yet: compare the clocks");
  }
  return exp;
}

/** A NumericDate (RFC 7519 §2). */
function isTime(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function refused(what: string, cause?: unknown): VouchsafeError {
  const options = cause === undefined ? {} : { cause };
  return new VouchsafeError("unauthenticated", `the token is refused: ${what}`, options);
}
