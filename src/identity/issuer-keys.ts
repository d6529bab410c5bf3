import type { KeyObject } from "node:crypto";
import { VouchsafeError } from "../errors.ts";
import {
  AttestationFormatError,
  isJsonObject,
  type JsonObject,
  parseJson,
} from "../in-toto-attestation/index.ts";
import { importJwk } from "./jwk.ts";

/** A key that an OIDC issuer signs with. */
export interface IssuerKey {
  readonly key: KeyObject;
  /** The one algorithm that it is for, where the issuer says so. */
  readonly alg?: string;
}

/** By key ID. */
export type IssuerKeys = ReadonlyMap<string, IssuerKey>;

const LIMITS = { maxBytes: 256 * 1024, maxDepth: 8 };
const MAX_KEYS = 64;

/**
 * Reads the JWKS (RFC 7517) of an OIDC issuer. Keys that no token could be verified with here are passed over, as an
 * issuer may have some for other uses and of other kinds: those without a key ID, those not for signatures, those of
 * kinds that are not taken.
 *
 * Throws `VouchsafeError` (`invalid-trust-bundle`) for what is no JWKS, and for one that says two things of one key ID.
 */
export function parseIssuerKeys(bytes: Uint8Array): IssuerKeys {
  const { keys } = parseDocument(bytes);
  if (!Array.isArray(keys) || keys.length > MAX_KEYS || !keys.every(isJsonObject)) {
    throw invalid(`it has no list of at most ${MAX_KEYS} keys`);
  }
  const known = new Map<string, IssuerKey>();
  for (const entry of keys) {
    const { kid, use, alg } = entry;
    const key = use === undefined || use === "sig" ? importJwk(entry) : undefined;
    if (key === undefined || typeof kid !== "string" || kid === "") continue;
    if (known.has(kid)) throw invalid("two keys have the same key ID");
    known.set(kid, { key, ...(typeof alg === "string" && { alg }) });
  }
  return known;
}

function parseDocument(bytes: Uint8Array): JsonObject {
  try {
    const document = parseJson(bytes, LIMITS);
    if (isJsonObject(document)) return document;
  } catch (error) {
    if (!(error instanceof AttestationFormatError)) throw error;
    throw invalid(error.message, error);
  }
  throw invalid("it is not an object");
}

function invalid(what: string, cause?: unknown): VouchsafeError {
  const options = cause === undefined ? {} : { cause };
  return new VouchsafeError("invalid-trust-bundle", `the issuer's keys are refused: ${what}`, options);
}
