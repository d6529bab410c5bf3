import { constants, type KeyObject, publicDecrypt, timingSafeEqual, verify } from "node:crypto";
import { p256, p384, p521 } from "@noble/curves/nist.js";

/** What a signature is over: the bytes, or only their digest where the bytes are not at hand. */
export type Signed =
  | { readonly case: "bytes"; readonly bytes: Uint8Array }
  | { readonly case: "digest"; readonly algorithm: string; readonly digest: Uint8Array };

/** How one kind of key signs. Chosen by the key and never by what a message claims. */
interface Scheme {
  /** The hash that it signs, absent for Ed25519, which signs the message itself. */
  readonly hash?: string;
  verifyBytes(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean;
  /** Absent where the scheme cannot be verified from a digest. */
  verifyDigest?(key: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean;
}

const ED25519: Scheme = {
  verifyBytes: (key, bytes, signature) => verify(null, bytes, key, signature),
};

const RSA_PKCS1_SHA256: Scheme = {
  hash: "sha256",
  verifyBytes: (key, bytes, signature) =>
    verify("sha256", bytes, { key, padding: constants.RSA_PKCS1_PADDING }, signature),
  verifyDigest: (key, digest, signature) => {
    const signed = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
    const wanted = Buffer.concat([SHA256_DIGEST_INFO, digest]);
    return signed.length === wanted.length && timingSafeEqual(signed, wanted);
  },
};

/** DER of DigestInfo up to the digest, for SHA-256 (RFC 8017 §9.2, note 1). */
const SHA256_DIGEST_INFO = Buffer.from("3031300d060960864801650304020105000420", "hex");

const RSA_PSS_SHA256: Scheme = {
  hash: "sha256",
  verifyBytes: (key, bytes, signature) =>
    verify(
      "sha256",
      bytes,
      { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO },
      signature,
    ),
};

/** ECDSA with the hash of the curve's strength; signatures in DER, or raw r‖s, which has one exact length. */
function ecdsa(curve: typeof p256, hash: string, coordinateBytes: number): Scheme {
  const isRaw = (signature: Uint8Array) => signature.length === 2 * coordinateBytes;
  return {
    hash,
    verifyBytes: (key, bytes, signature) =>
      verify(hash, bytes, { key, dsaEncoding: isRaw(signature) ? "ieee-p1363" : "der" }, signature),
    // node:crypto cannot verify ECDSA over a digest that was computed elsewhere.
    verifyDigest: (key, digest, signature) =>
      curve.verify(signature, digest, rawPoint(key, coordinateBytes), {
        prehash: false,
        lowS: false,
        format: isRaw(signature) ? "compact" : "der",
      }),
  };
}

/** The uncompressed point: the end of the SPKI DER. */
function rawPoint(key: KeyObject, coordinateBytes: number): Uint8Array {
  return key.export({ type: "spki", format: "der" }).subarray(-(1 + 2 * coordinateBytes));
}

/**
 * Kind of key → the schemes that it may have signed with, the usual one first. Older Sigstore clients signed
 * with SHA-256 on every curve (sigstore/architecture-docs algorithm-registry.md, the "legacy" rows).
 */
const SCHEMES: ReadonlyMap<string, readonly Scheme[]> = new Map([
  ["ec prime256v1", [ecdsa(p256, "sha256", 32)]],
  ["ec secp384r1", [ecdsa(p384, "sha384", 48), ecdsa(p384, "sha256", 48)]],
  ["ec secp521r1", [ecdsa(p521, "sha512", 66), ecdsa(p521, "sha256", 66)]],
  ["ed25519", [ED25519]],
  ["rsa", [RSA_PKCS1_SHA256, RSA_PSS_SHA256]],
]);

function schemesFor(key: KeyObject, signed: Signed): readonly Scheme[] {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const schemes = SCHEMES.get(curve ? `${key.asymmetricKeyType} ${curve}` : `${key.asymmetricKeyType}`) ?? [];
  if (signed.case === "bytes") return schemes;
  return schemes.filter(({ verifyDigest, hash }) => verifyDigest !== undefined && hash === signed.algorithm);
}

/** Whether signatures of this key over this can be verified at all. */
export function canVerify(key: KeyObject, signed: Signed): boolean {
  return schemesFor(key, signed).length > 0;
}

/** Whether the signature is the key's, over exactly this. False too for whatever makes the libraries throw. */
export function verifySignature(key: KeyObject, signed: Signed, signature: Uint8Array): boolean {
  return schemesFor(key, signed).some((scheme) => {
    try {
      return signed.case === "bytes"
        ? scheme.verifyBytes(key, signed.bytes, signature)
        : (scheme.verifyDigest?.(key, signed.digest, signature) ?? false);
    } catch {
      return false;
    }
  });
}
