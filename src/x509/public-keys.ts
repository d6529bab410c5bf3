import { createPublicKey, type KeyObject } from "node:crypto";
import { DerError, expectTag, readDer, TAG } from "../der/reader.ts";
import { writePem } from "./pem.ts";

export type PublicKeyKind = "p256" | "p384" | "p521" | "ed25519" | "rsa";

/** A type of public key that is taken: its AlgorithmIdentifier has one spelling, and its strength is enough. */
interface KeyType {
  readonly kind: PublicKeyKind;
  /** First bytes of the BIT STRING's content: no unused bits, and an uncompressed point for the NIST curves. */
  readonly prefix: Buffer;
  isStrong(key: KeyObject): boolean;
}

const CURVE = { prefix: Buffer.from("0004", "hex"), isStrong: () => true };

const TYPES: ReadonlyMap<string, KeyType> = new Map([
  // id-ecPublicKey with prime256v1, secp384r1, secp521r1 (RFC 5480 §2.1.1)
  ["301306072a8648ce3d020106082a8648ce3d030107", { kind: "p256", ...CURVE }],
  ["301006072a8648ce3d020106052b81040022", { kind: "p384", ...CURVE }],
  ["301006072a8648ce3d020106052b81040023", { kind: "p521", ...CURVE }],
  // id-Ed25519 (RFC 8410 §3)
  ["300506032b6570", { kind: "ed25519", prefix: Buffer.of(0), isStrong: () => true }],
  // rsaEncryption with NULL parameters (RFC 3279 §2.3.1)
  ["300d06092a864886f70d0101010500", { kind: "rsa", prefix: Buffer.of(0), isStrong: isStrongRsa }],
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
  const [algorithm, bits, ...rest] = expectTag(readDer(spki), TAG.sequence).children();
  const type = TYPES.get(expectTag(algorithm, TAG.sequence).hex);
  if (type === undefined || rest.length > 0) throw new DerError("the key is of a kind that is not taken");
  const { content } = expectTag(bits, TAG.bitString);
  if (!type.prefix.equals(content.subarray(0, type.prefix.length))) {
    throw new DerError("the key is not spelt in the one way that is taken");
  }
  const key = importSpki(spki);
  if (!type.isStrong(key)) throw new DerError("the key is too weak, or larger than is taken");
  return key;
}

/** The kind of a SubjectPublicKeyInfo's key: node:crypto takes ten times as long to say. Throws `DerError`. */
export function publicKeyKindOf(spki: Uint8Array): PublicKeyKind | undefined {
  const [algorithm] = expectTag(readDer(spki), TAG.sequence).children();
  return TYPES.get(expectTag(algorithm, TAG.sequence).hex)?.kind;
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
  const [, bits] = expectTag(readDer(spki), TAG.sequence).children();
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
