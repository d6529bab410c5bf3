import { createPublicKey, hash, type KeyObject } from "node:crypto";
import type { JsonValue } from "../in-toto-attestation/index.ts";
import { arrayAt, invalid, objectAt, rangeBetween, stringAt, thresholdAt } from "./members.ts";
import type { Thresholds } from "./sigstore-instance.ts";
import type { TimeRange } from "./time-range.ts";

/** A public key that signs attestations, as a trust document writes it. Times are RFC 3339, inclusive. */
export interface TrustedKey {
  readonly name: string;
  /** What envelopes and bundles call it. Default: lower-case hex of the sha256 of the SPKI DER. */
  readonly keyId?: string;
  /** SPKI PEM. */
  readonly publicKey: string;
  readonly validFrom?: string;
  readonly validUntil?: string;
  /** The only predicate types that its signatures count for, exactly as written. Default: any. */
  readonly predicateTypes?: readonly string[];
  /** Evidence of log and time that its signatures must come with; absent members ask for none. */
  readonly thresholds?: Partial<KeyThresholds>;
}

export type KeyThresholds = Omit<Thresholds, "scts">;

/** A trusted key that is ready to verify with. */
export interface PreparedKey {
  readonly name: string;
  readonly keyId: string;
  readonly publicKey: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** sha256 of the SPKI DER in hex: names the key itself. */
  readonly fingerprint: string;
  readonly validFor: TimeRange;
  /** Undefined for a key that counts for any. */
  readonly predicateTypes: ReadonlySet<string> | undefined;
  readonly thresholds: KeyThresholds;
}

const CURVES: ReadonlySet<string | undefined> = new Set(["prime256v1", "secp384r1", "secp521r1"]);
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;

/** Throws `VouchsafeError` (`invalid-trust`). */
export function parseTrustedKey(value: JsonValue, where: string): PreparedKey {
  const key = objectAt(value, where, [
    "name",
    "keyId",
    "publicKey",
    "validFrom",
    "validUntil",
    "predicateTypes",
    "thresholds",
  ]);
  const publicKey = parsePem(stringAt(key.publicKey, `${where}.publicKey`), where);
  const spki = publicKey.export({ type: "spki", format: "der" });
  const fingerprint = hash("sha256", spki, "hex");
  return {
    name: stringAt(key.name, `${where}.name`),
    keyId: key.keyId === undefined ? fingerprint : stringAt(key.keyId, `${where}.keyId`),
    publicKey,
    spki,
    fingerprint,
    validFor: rangeBetween(key.validFrom, key.validUntil, where),
    predicateTypes: parsePredicateTypes(key.predicateTypes, `${where}.predicateTypes`),
    thresholds: parseKeyThresholds(key.thresholds, `${where}.thresholds`),
  };
}

const MAX_PREDICATE_TYPES = 32;

/** To count for nothing is not what an empty list could mean: it is refused. */
function parsePredicateTypes(value: JsonValue | undefined, where: string): ReadonlySet<string> | undefined {
  if (value === undefined) return undefined;
  const types = arrayAt(value, where, MAX_PREDICATE_TYPES).map((type, i) => stringAt(type, `${where}[${i}]`));
  if (types.length === 0) throw invalid(`${where} is empty`);
  return new Set(types);
}

function parseKeyThresholds(value: JsonValue | undefined, where: string): KeyThresholds {
  const asked = objectAt(value ?? {}, where, ["logEntries", "timestamps"]);
  return {
    logEntries: thresholdAt(asked.logEntries, `${where}.logEntries`, 0),
    timestamps: thresholdAt(asked.timestamps, `${where}.timestamps`, 0),
  };
}

function parsePem(pem: string, where: string): KeyObject {
  // A private key or a certificate would also give a public key: neither belongs in a trust document.
  if (!/^-----BEGIN PUBLIC KEY-----\r?\n[A-Za-z0-9+/=\r\n]+-----END PUBLIC KEY-----\s*$/.test(pem)) {
    throw invalid(`${where}.publicKey is not one PEM block "PUBLIC KEY"`);
  }
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (cause) {
    throw invalid(`${where}.publicKey is not a public key`, cause);
  }
  if (!isSupported(key)) throw invalid(`${where}.publicKey is of a type that is not supported`);
  return key;
}

function isSupported(key: KeyObject): boolean {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "ec":
      return CURVES.has(namedCurve);
    case "ed25519":
      return true;
    case "rsa":
      return modulusLength >= MIN_RSA_BITS && modulusLength <= MAX_RSA_BITS;
    default:
      return false;
  }
}
