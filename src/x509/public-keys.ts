import { createPublicKey, type KeyObject } from "node:crypto";
import { DerError, derChildren, expectTag, hexOf, readDer, TAG } from "../der/reader.ts";
import { writePem } from "./pem.ts";

/** A kind of public key that is taken: its AlgorithmIdentifier has one spelling, and its strength is enough. */
interface KeyKind {
  /** First bytes of the BIT STRING's content: no unused bits, and an uncompressed point for the NIST curves. */
  readonly prefix: Buffer;
  isStrong(key: KeyObject): boolean;
}

const CURVE: KeyKind = { prefix: Buffer.from("0004", "hex"), isStrong: () => true };

const KINDS: ReadonlyMap<string, KeyKind> = new Map([
  // id-ecPublicKey with prime256v1, secp384r1, secp521r1 (RFC 5480 §2.1.1)
  ["301306072a8648ce3d020106082a8648ce3d030107", CURVE],
  ["301006072a8648ce3d020106052b81040022", CURVE],
  ["301006072a8648ce3d020106052b81040023", CURVE],
  // id-Ed25519 (RFC 8410 §3)
  ["300506032b6570", { prefix: Buffer.of(0), isStrong: () => true }],
  // rsaEncryption with NULL parameters (RFC 3279 §2.3.1)
  ["300d06092a864886f70d0101010500", { prefix: Buffer.of(0), isStrong: isStrongRsa }],
]);

const MIN_RSA_BITS = 2048;
/** What a larger key would cost each who verifies is no gain to them. */
const MAX_RSA_BITS = 4096;

/**
 * The key of a SubjectPublicKeyInfo: P-256, P-384 or P-521 with an uncompressed point, Ed25519, or RSA of 2048
 * to 4096 bits with the exponent 65537.
 *
 * Throws `DerError` for any other, and for a point that is not on its curve.
 */
export function readPublicKey(spki: Uint8Array): KeyObject {
  const [algorithm, bits, ...rest] = derChildren(expectTag(readDer(spki), TAG.sequence).content);
  const kind = KINDS.get(hexOf(expectTag(algorithm, TAG.sequence).encoded));
  if (kind === undefined || rest.length > 0) throw new DerError("the key is of a kind that is not taken");
  const { content } = expectTag(bits, TAG.bitString);
  if (!kind.prefix.equals(content.subarray(0, kind.prefix.length))) {
    throw new DerError("the key is not spelt in the one way that is taken");
  }
  const key = importSpki(spki);
  if (!kind.isStrong(key)) throw new DerError("the key is too weak, or larger than is taken");
  return key;
}

/**
 * Whether the key, or the public one of a private key, is the one of this SubjectPublicKeyInfo. Compares bytes:
 * `KeyObject.equals` of keys of two kinds leaves an error behind that node:crypto reports in a later call.
 */
export function isKeyOf(key: KeyObject, spki: Uint8Array): boolean {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ format: "der", type: "spki" }).equals(spki);
}

/** The key's own bytes: what key identifiers are computed over (RFC 5280 §4.2.1.2). */
export function subjectPublicKeyOf(spki: Uint8Array): Uint8Array {
  const [, bits] = derChildren(expectTag(readDer(spki), TAG.sequence).content);
  return expectTag(bits, TAG.bitString).content.subarray(1);
}

/**
 * As PEM text, because what is given node:crypto as an object is first held against the kinds of key objects, by
 * an exception for each: that takes longer than the import itself.
 */
function importSpki(spki: Uint8Array): KeyObject {
  try {
    return createPublicKey(writePem("PUBLIC KEY", spki));
  } catch {
    throw new DerError("the key is not a point of its curve");
  }
}

function isStrongRsa(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {};
  return modulusLength >= MIN_RSA_BITS && modulusLength <= MAX_RSA_BITS && publicExponent === 65537n;
}
