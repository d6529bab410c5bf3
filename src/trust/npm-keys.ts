import { isJsonObject, type JsonObject, type JsonValue } from "../in-toto-attestation/index.ts";
import { writePem } from "../x509/pem.ts";
import { arrayAt, bytesAt, invalid, objectAt, stringAt } from "./members.ts";
import type { TrustedKey } from "./trusted-key.ts";

/** What a registry signs with its keys: that it published this package at this version. */
const PUBLISH = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1";
const ATTESTATIONS = "npm:attestations";
const MAX_KEYS = 64;

/**
 * The keys that an npm registry signs attestations with, from its `keys.json`: as Sigstore's TUF repository
 * publishes it (one key stands there once for each usage), or as the registry answers on `/-/npm/v1/keys`.
 *
 * Throws `VouchsafeError` (`invalid-trust`).
 */
export function readNpmKeys(file: JsonObject, where: string): TrustedKey[] {
  const keys = arrayAt(file.keys, `${where}: keys`, MAX_KEYS).flatMap((key, i) => {
    const at = `${where}: keys[${i}]`;
    if (!isJsonObject(key)) throw invalid(`${at} is not an object`);
    return key.keyUsage === undefined ? [answeredKey(key, at)] : publishedKey(key, at);
  });
  if (keys.length === 0) throw invalid(`${where} holds no key for attestations`);
  return keys;
}

function publishedKey(value: JsonObject, where: string): TrustedKey[] {
  const key = objectAt(value, where, ["keyId", "keyUsage", "publicKey"]);
  if (stringAt(key.keyUsage, `${where}.keyUsage`) !== ATTESTATIONS) return [];
  const at = `${where}.publicKey`;
  const { rawBytes, validFor } = objectAt(key.publicKey, at, ["rawBytes", "keyDetails", "validFor"]);
  const { start, end } = objectAt(validFor ?? {}, `${at}.validFor`, ["start", "end"]);
  return [trustedKey(key.keyId, rawBytes, start, end, where)];
}

function answeredKey(value: JsonObject, where: string): TrustedKey {
  const key = objectAt(value, where, ["expires", "keyid", "keytype", "scheme", "key"]);
  return trustedKey(key.keyid, key.key, undefined, key.expires, where);
}

/** The form of key and times is judged where the trust document is read. */
function trustedKey(
  id: JsonValue | undefined,
  spki: JsonValue | undefined,
  from: JsonValue | undefined,
  until: JsonValue | undefined,
  where: string,
): TrustedKey {
  const keyId = stringAt(id, `${where}: key id`);
  return {
    name: `npm ${keyId}`,
    keyId,
    publicKey: writePem("PUBLIC KEY", bytesAt(spki, `${where}: key`)),
    ...(from !== undefined && { validFrom: stringAt(from, `${where}: start`) }),
    ...(until !== undefined && until !== null && { validUntil: stringAt(until, `${where}: end`) }),
    predicateTypes: [PUBLISH],
  };
}
