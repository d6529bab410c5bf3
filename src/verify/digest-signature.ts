import { constants, hash, type KeyObject, publicDecrypt, publicEncrypt, timingSafeEqual } from "node:crypto";
import { eddsa } from "@noble/curves/abstract/edwards.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import type { Scheme } from "./signature-check.ts";
import type { Signed } from "./signed.ts";

// Signatures over a digest, which may have been computed elsewhere: node:crypto verifies only over the bytes themselves.

/** Whether the signature is the key's over bytes of this digest. Never for plain Ed25519, which needs the bytes. */
export function verifyDigest(
  key: KeyObject,
  { hash: algorithm, padding, prehashed }: Scheme,
  signed: Signed,
  signature: Uint8Array,
): boolean {
  const digest = algorithm === null ? undefined : signed.digest(algorithm);
  if (algorithm === null || digest === undefined) return false;
  if (padding === "pkcs1") return verifyPkcs1(key, algorithm, digest, signature);
  if (padding === "pss") return verifyPss(key, algorithm, digest, signature);
  return prehashed ? verifyEd25519ph(key, digest, signature) : verifyEcdsa(key, digest, signature);
}

const CURVES: ReadonlyMap<string | undefined, readonly [typeof p256, number]> = new Map([
  ["prime256v1", [p256, 32]],
  ["secp384r1", [p384, 48]],
  ["secp521r1", [p521, 66]],
]);

function verifyEcdsa(key: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean {
  const [curve, coordinateBytes] = CURVES.get(key.asymmetricKeyDetails?.namedCurve) ?? [];
  if (curve === undefined || coordinateBytes === undefined) return false;
  // The uncompressed point is the end of the SPKI DER.
  const point = key.export({ type: "spki", format: "der" }).subarray(-(1 + 2 * coordinateBytes));
  return curve.verify(signature, digest, point, { prehash: false, lowS: false, format: "der" });
}

/** dom2(1, ""): what Ed25519ph has before all that it hashes (RFC 8032 §5.1). */
const DOM2 = Buffer.from("SigEd25519 no Ed25519 collisions\x01\x00", "latin1");

/** Ed25519ph from the digest on: the library's own begins with the message. */
const ed25519OfDigest = eddsa(ed25519.Point, (bytes: Uint8Array) => hash("sha512", bytes, "buffer"), {
  domain: (hashed: Uint8Array) => Buffer.concat([DOM2, hashed]),
  zip215: false,
});

function verifyEd25519ph(key: KeyObject, digest: Uint8Array, signature: Uint8Array): boolean {
  const publicKey = key.export({ type: "spki", format: "der" }).subarray(-32);
  return ed25519OfDigest.verify(signature, digest, publicKey);
}

/** DER of DigestInfo up to the digest (RFC 8017 §9.2, note 1). */
const DIGEST_INFO: ReadonlyMap<string, string> = new Map([
  ["sha256", "3031300d060960864801650304020105000420"],
  ["sha384", "3041300d060960864801650304020205000430"],
  ["sha512", "3051300d060960864801650304020305000440"],
]);

function verifyPkcs1(key: KeyObject, algorithm: string, digest: Uint8Array, signature: Uint8Array): boolean {
  const info = DIGEST_INFO.get(algorithm);
  if (info === undefined) return false;
  const signed = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
  const wanted = Buffer.concat([Buffer.from(info, "hex"), digest]);
  return signed.length === wanted.length && timingSafeEqual(signed, wanted);
}

/** EMSA-PSS-VERIFY with a salt of any length (RFC 8017 §9.1.2); the mask is made with the same hash. */
function verifyPss(key: KeyObject, algorithm: string, digest: Uint8Array, signature: Uint8Array): boolean {
  const modulusBits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (signature.length !== Math.ceil(modulusBits / 8)) return false;
  const message = publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, signature);
  // One bit less than the modulus: where that is a whole number of bytes, the first byte is zero.
  const bits = modulusBits - 1;
  const length = Math.ceil(bits / 8);
  if (message.length > length && message[0] !== 0) return false;
  const encoded = message.subarray(message.length - length);
  const maskedLength = length - digest.length - 1;
  if (maskedLength < 1 || encoded.at(-1) !== 0xbc) return false;
  const unusedBits = 8 * length - bits;
  if ((encoded[0] ?? 0xff) >> (8 - unusedBits) !== 0 && unusedBits > 0) return false;
  const seed = encoded.subarray(maskedLength, -1);
  const block = unmask(encoded.subarray(0, maskedLength), seed, algorithm);
  block[0] = (block[0] ?? 0) & (0xff >> unusedBits);
  const one = block.findIndex((byte) => byte !== 0);
  if (one === -1 || block[one] !== 1) return false;
  const salted = Buffer.concat([Buffer.alloc(8), digest, block.subarray(one + 1)]);
  return timingSafeEqual(hash(algorithm, salted, "buffer"), seed);
}

/** XOR with MGF1 of the seed (RFC 8017 §B.2.1). */
function unmask(masked: Uint8Array, seed: Uint8Array, algorithm: string): Uint8Array {
  const block = Uint8Array.from(masked);
  for (let at = 0, counter = 0; at < block.length; counter += 1) {
    const mask = hash(algorithm, Buffer.concat([seed, Uint8Array.of(0, 0, 0, counter)]), "buffer");
    for (const byte of mask) {
      if (at === block.length) break;
      block[at] = (block[at] ?? 0) ^ byte;
      at += 1;
    }
  }
  return block;
}
