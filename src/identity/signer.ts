import { createPublicKey, type KeyObject, sign } from "node:crypto";

/**
 * A private key that an authority signs with, wherever it is kept: in this process, or in a key management service
 * that is asked for each signature. Whatever needs the key itself cannot be built on this.
 */
export interface Signer {
  /** As JWS names it (RFC 7518 §3.4). */
  readonly algorithm: "ES256" | "ES384" | "RS256";
  readonly publicKey: KeyObject;
  /** The signature of the bytes under the algorithm's hash: of ECDSA as DER (`SEQUENCE { r, s }`), of RSA as PKCS #1 v1.5. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

const CURVES: ReadonlyMap<string, { algorithm: Signer["algorithm"]; hash: string }> = new Map([
  ["prime256v1", { algorithm: "ES256", hash: "sha256" }],
  ["secp384r1", { algorithm: "ES384", hash: "sha384" }],
]);

/** Signs with a key of this process; undefined for one that is neither on P-256 nor on P-384. */
export function keySigner(key: KeyObject): Signer | undefined {
  const known = CURVES.get(key.asymmetricKeyDetails?.namedCurve ?? "");
  if (known === undefined) return undefined;
  const { algorithm, hash } = known;
  return { algorithm, publicKey: createPublicKey(key), sign: async (bytes) => sign(hash, bytes, key) };
}

/** Bits of an RSA key's modulus. */
const RSA = { least: 2048, most: 4096 };

/**
 * Signs JWT-SVIDs with a key of this process: ES256, or RS256 for relying parties that take nothing else. Undefined for a
 * key that is neither on P-256 nor RSA of 2048 to 4096 bits with the usual exponent.
 */
export function jwtSigner(key: KeyObject): Signer | undefined {
  const { modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType !== "rsa") {
    const signer = keySigner(key);
    return signer?.algorithm === "ES256" ? signer : undefined;
  }
  if (modulusLength < RSA.least || modulusLength > RSA.most || publicExponent !== 65537n) return undefined;
  return {
    algorithm: "RS256",
    publicKey: createPublicKey(key),
    sign: async (bytes) => sign("sha256", bytes, key),
  };
}
