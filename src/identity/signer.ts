import { createPublicKey, type KeyObject, sign } from "node:crypto";

/**
 * A private key that an authority signs with, wherever it is kept: in this process, or in a key management service
 * that is asked for each signature. Whatever needs the key itself cannot be built on this.
 */
export interface Signer {
  /** As JWS names it (RFC 7518 §3.4). */
  readonly algorithm: "ES256" | "ES384";
  readonly publicKey: KeyObject;
  /** The signature of the bytes under the algorithm's hash, as DER (`SEQUENCE { r, s }`). */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

const ALGORITHMS: ReadonlyMap<string, { algorithm: Signer["algorithm"]; hash: string }> = new Map([
  ["prime256v1", { algorithm: "ES256", hash: "sha256" }],
  ["secp384r1", { algorithm: "ES384", hash: "sha384" }],
]);

/** Signs with a key of this process; undefined for one that is neither on P-256 nor on P-384. */
export function keySigner(key: KeyObject): Signer | undefined {
  const known = ALGORITHMS.get(key.asymmetricKeyDetails?.namedCurve ?? "");
  if (known === undefined) return undefined;
  const { algorithm, hash } = known;
  return { algorithm, publicKey: createPublicKey(key), sign: async (bytes) => sign(hash, bytes, key) };
}
