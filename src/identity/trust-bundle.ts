import type { KeyObject } from "node:crypto";
import { DerError } from "../der/reader.ts";
import { VouchsafeError } from "../errors.ts";
import {
  AttestationFormatError,
  decodeBase64,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
} from "../in-toto-attestation/index.ts";
import { type Certificate, parseCertificate } from "../x509/certificate.ts";
import { pemBlocks } from "../x509/pem.ts";
import { isKeyOf } from "../x509/public-keys.ts";
import { exportJwk, importJwk } from "./jwk.ts";
import type { TrustDomain } from "./spiffe-id.ts";

/** What SVIDs of one trust domain are verified with (SPIFFE_Trust_Domain_and_Bundle.md §4). */
export interface TrustBundle {
  readonly trustDomain: TrustDomain;
  readonly x509Authorities: readonly Certificate[];
  /** By key ID. */
  readonly jwtAuthorities: ReadonlyMap<string, KeyObject>;
  /** Grows with every change of the bundle, where its publisher counts. */
  readonly sequence?: number;
  /** Seconds after which to ask for it again. */
  readonly refreshHint?: number;
}

const LIMITS = { maxBytes: 1024 * 1024, maxDepth: 8 };
const MAX_AUTHORITIES = 256;

const X509_USE = "x509-svid";
const JWT_USE = "jwt-svid";

/** The bundle as a SPIFFE bundle document: a JWKS with an entry for each authority. */
export function writeTrustBundle(bundle: TrustBundle): JsonObject {
  const { x509Authorities, jwtAuthorities, sequence, refreshHint } = bundle;
  return {
    keys: [
      ...x509Authorities.flatMap(({ publicKey, der }) =>
        publicKey === undefined
          ? []
          : [{ ...exportJwk(publicKey), use: X509_USE, x5c: [Buffer.from(der).toString("base64")] }],
      ),
      ...[...jwtAuthorities].map(([kid, key]) => ({ ...exportJwk(key), kid, use: JWT_USE })),
    ],
    ...(sequence === undefined ? {} : { spiffe_sequence: sequence }),
    ...(refreshHint === undefined ? {} : { spiffe_refresh_hint: refreshHint }),
  };
}

/** Whether two bundles are of one trust domain and say the same. */
export function isSameBundle(one: TrustBundle, other: TrustBundle): boolean {
  const [said, also] = [one, other].map((bundle) => JSON.stringify(writeTrustBundle(bundle)));
  return one.trustDomain === other.trustDomain && said === also;
}

/** Only the keys of JWT-SVIDs, as a JWKS (RFC 7517) whose `use` common JWT libraries take. */
export function writeJwks({ jwtAuthorities }: TrustBundle): JsonObject {
  return { keys: [...jwtAuthorities].map(([kid, key]) => ({ ...exportJwk(key), kid, use: "sig" })) };
}

/**
 * Reads a SPIFFE bundle document. Entries of a use that is not known are passed over, and so are X.509 entries
 * without a certificate, as the standard asks; whatever else is wrong refuses the document.
 *
 * Throws `VouchsafeError` (`invalid-trust-bundle`).
 */
export function parseTrustBundle(bytes: Uint8Array, trustDomain: TrustDomain): TrustBundle {
  const document = parseDocument(bytes);
  const keys = keysOf(document);
  const sequence = wholeNumber(document, "spiffe_sequence");
  const refreshHint = wholeNumber(document, "spiffe_refresh_hint");
  return {
    trustDomain,
    x509Authorities: keys.filter(({ use }) => use === X509_USE).flatMap(x509Authority),
    jwtAuthorities: jwtAuthoritiesOf(keys.filter(({ use }) => use === JWT_USE)),
    ...(sequence === undefined ? {} : { sequence }),
    ...(refreshHint === undefined ? {} : { refreshHint }),
  };
}

/**
 * Reads a JWKS whose keys are all for JWT-SVIDs, as the Workload API hands them out: by key ID, whatever their
 * `use`. Throws `VouchsafeError` (`invalid-trust-bundle`).
 */
export function parseJwks(bytes: Uint8Array): ReadonlyMap<string, KeyObject> {
  return jwtAuthoritiesOf(keysOf(parseDocument(bytes)));
}

/**
 * Reads X.509 authorities from PEM, none from an empty text. Throws `VouchsafeError` (`invalid-trust-bundle`).
 */
export function parseX509Authorities(pem: string): Certificate[] {
  const blocks = pemBlocks(pem);
  if (blocks === undefined || (blocks.length === 0 && pem !== "")) throw invalid("it is not PEM");
  if (blocks.length > MAX_AUTHORITIES) throw invalid(`it has more than ${MAX_AUTHORITIES} certificates`);
  return blocks.map(({ label, bytes }) => {
    if (label !== "CERTIFICATE") throw invalid("it holds something else than certificates");
    return certificate(bytes);
  });
}

function parseDocument(bytes: Uint8Array): JsonObject {
  try {
    const document = parseJson(bytes, LIMITS);
    if (!isJsonObject(document)) throw invalid("it is not an object");
    return document;
  } catch (error) {
    if (error instanceof AttestationFormatError) throw invalid(error.message, error);
    throw error;
  }
}

function keysOf({ keys }: JsonObject): JsonObject[] {
  if (!Array.isArray(keys)) throw invalid("it has no list of keys");
  if (keys.length > MAX_AUTHORITIES) throw invalid(`it has more than ${MAX_AUTHORITIES} keys`);
  if (!keys.every(isJsonObject)) throw invalid("a key is not an object");
  return keys;
}

/** X509-SVID.md §6.2, but more than one certificate is refused, because no bundle may have them (§6.1). */
function x509Authority(entry: JsonObject): Certificate[] {
  const { x5c } = entry;
  if (x5c === undefined || (Array.isArray(x5c) && x5c.length === 0)) return [];
  const [text] = Array.isArray(x5c) && x5c.length === 1 ? x5c : [];
  const bytes = typeof text === "string" ? decodeBase64(text) : undefined;
  if (bytes === undefined) throw invalid("an X.509 entry does not hold exactly one certificate");
  const authority = certificate(bytes);
  if (!isKeyOf(key(entry), authority.spki)) throw invalid("an entry's key is not its certificate's");
  return [authority];
}

function jwtAuthoritiesOf(entries: readonly JsonObject[]): ReadonlyMap<string, KeyObject> {
  const authorities = new Map<string, KeyObject>();
  for (const entry of entries) {
    const { kid } = entry;
    if (typeof kid !== "string" || kid === "") throw invalid("a key for JWT-SVIDs has no key ID");
    if (authorities.has(kid)) throw invalid("two keys have the same key ID");
    authorities.set(kid, key(entry));
  }
  return authorities;
}

function key(entry: JsonObject): KeyObject {
  const imported = importJwk(entry);
  if (imported === undefined) throw invalid("a key is malformed, or of a kind that is not taken");
  return imported;
}

function certificate(der: Uint8Array): Certificate {
  try {
    return parseCertificate(der);
  } catch (error) {
    if (error instanceof DerError) throw invalid(error.message, error);
    throw error;
  }
}

function wholeNumber(document: JsonObject, name: string): number | undefined {
  const value: JsonValue | undefined = document[name];
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw invalid(`${name} is not a whole number`);
  }
  return value;
}

function invalid(what: string, cause?: unknown): VouchsafeError {
  const options = cause === undefined ? {} : { cause };
  return new VouchsafeError("invalid-trust-bundle", `the trust bundle is refused: ${what}`, options);
}
