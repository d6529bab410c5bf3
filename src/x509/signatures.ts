import { type KeyObject, sign, verify } from "node:crypto";
import { hexOf } from "../der/reader.ts";

/** A signature algorithm of certificates and signing requests. */
interface X509SignatureAlgorithm {
  /** The type of key that makes such signatures, in node:crypto's words. */
  readonly keyType: "ec" | "rsa" | "ed25519";
  readonly hash: "sha256" | "sha384" | "sha512" | null;
}

/** AlgorithmIdentifier (DER, hex) → algorithm. SHA-1 and RSASSA-PSS are absent: neither is needed. */
const ALGORITHMS: ReadonlyMap<string, X509SignatureAlgorithm> = new Map([
  // ecdsa-with-SHA256, -SHA384, -SHA512 (RFC 5758 §3.2)
  ["300a06082a8648ce3d040302", { keyType: "ec", hash: "sha256" }],
  ["300a06082a8648ce3d040303", { keyType: "ec", hash: "sha384" }],
  ["300a06082a8648ce3d040304", { keyType: "ec", hash: "sha512" }],
  // sha256-, sha384-, sha512WithRSAEncryption (RFC 4055 §5)
  ["300d06092a864886f70d01010b0500", { keyType: "rsa", hash: "sha256" }],
  ["300d06092a864886f70d01010c0500", { keyType: "rsa", hash: "sha384" }],
  ["300d06092a864886f70d01010d0500", { keyType: "rsa", hash: "sha512" }],
  // id-Ed25519 (RFC 8410 §3)
  ["300506032b6570", { keyType: "ed25519", hash: null }],
]);

/** How the key signs by this algorithm; undefined for one that is not in the table or does not fit the key. */
export function x509Scheme(
  key: KeyObject,
  algorithm: Uint8Array,
): { readonly hash: X509SignatureAlgorithm["hash"]; readonly padding?: "pkcs1" } | undefined {
  const known = ALGORITHMS.get(hexOf(algorithm));
  if (known === undefined || known.keyType !== key.asymmetricKeyType) return undefined;
  return known.keyType === "rsa" ? { hash: known.hash, padding: "pkcs1" } : { hash: known.hash };
}

/** Whether the signature is the key's, over these bytes, by an algorithm of the table that fits the key. */
export function verifyX509Signature(
  key: KeyObject,
  algorithm: Uint8Array,
  signed: Uint8Array,
  signature: Uint8Array,
): boolean {
  const scheme = x509Scheme(key, algorithm);
  // PKCS #1 v1.5 is what node:crypto takes for RSA unless it is told otherwise.
  return scheme !== undefined && verify(scheme.hash, signed, key, signature);
}

/** How an authority's key signs certificates. */
export interface X509Signer {
  /** AlgorithmIdentifier, DER. */
  readonly algorithm: Uint8Array;
  sign(bytes: Uint8Array): Uint8Array;
}

/** Curve of an authority's key → the algorithm that it signs with. */
const SIGNERS: ReadonlyMap<string, string> = new Map([
  ["prime256v1", "300a06082a8648ce3d040302"],
  ["secp384r1", "300a06082a8648ce3d040303"],
]);

/** What a key, private or public, signs certificates by: AlgorithmIdentifier, DER; undefined for other curves. */
export function x509Algorithm(key: KeyObject): Uint8Array | undefined {
  const algorithm = SIGNERS.get(key.asymmetricKeyDetails?.namedCurve ?? "");
  return algorithm === undefined ? undefined : Buffer.from(algorithm, "hex");
}

/** Undefined for a key that is neither on P-256 nor on P-384. */
export function x509Signer(key: KeyObject): X509Signer | undefined {
  const algorithm = x509Algorithm(key);
  const hash = algorithm && ALGORITHMS.get(hexOf(algorithm))?.hash;
  if (algorithm === undefined || !hash) return undefined;
  return { algorithm, sign: (bytes) => sign(hash, bytes, key) };
}
