import { createPublicKey, hash, type KeyObject } from "node:crypto";
import { VouchsafeError } from "../errors.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";

/** Verifier keys, `name+hash+base64` (c2sp.org/signed-note, "Verifier keys"), of the types that use Ed25519. */
export interface VerifierKey {
  readonly name: string;
  /** With the name, says which key it is. Too short to be a fingerprint. */
  readonly keyId: number;
  readonly publicKey: KeyObject;
}

/** What a key of this type signs: the text of a note, or a checkpoint with a time (c2sp.org/tlog-cosignature). */
const SIGNATURE_TYPES = { Ed25519: 0x01, "cosignature/v1": 0x04 } as const;
export type SignatureType = keyof typeof SIGNATURE_TYPES;

/** DER of SubjectPublicKeyInfo up to the 32 bytes of an Ed25519 key (RFC 8410, section 4). */
const ED25519_SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** The verifier key of an Ed25519 private key, with its text. */
export function verifierKeyOf(
  name: string,
  type: SignatureType,
  privateKey: KeyObject,
): { readonly keyId: number; readonly verifierKey: string } {
  if (!isKeyName(name)) throw new RangeError("a key name has neither spaces nor plus signs");
  if (privateKey.asymmetricKeyType !== "ed25519") throw new RangeError("not an Ed25519 key");
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  const material = Buffer.concat([
    Buffer.of(SIGNATURE_TYPES[type]),
    spki.subarray(ED25519_SPKI_PREFIX.length),
  ]);
  const keyId = keyIdOf(name, material);
  return {
    keyId,
    verifierKey: `${keyLabel({ name, keyId })}+${encodeBase64(material)}`,
  };
}

/** Reads a verifier key of one type. Throws `invalid-request`. */
export function readVerifierKey(text: string, type: SignatureType): VerifierKey {
  const [name = "", idHex = "", ...rest] = text.split("+");
  const material = decodeBase64(rest.join("+"));
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(idHex) || material === undefined) {
    throw new VouchsafeError("invalid-request", "A verifier key has the form name+hash+base64.");
  }
  if (material.length !== 33 || material[0] !== SIGNATURE_TYPES[type]) {
    throw new VouchsafeError("invalid-request", `Only verifier keys of type ${type} are taken here.`);
  }
  const keyId = Number.parseInt(idHex, 16);
  if (keyId !== keyIdOf(name, material)) {
    throw new VouchsafeError("invalid-request", "The verifier key's hash does not fit its name and key.");
  }
  const der = Buffer.concat([ED25519_SPKI_PREFIX, material.subarray(1)]);
  return { name, keyId, publicKey: createPublicKey({ key: der, format: "der", type: "spki" }) };
}

/** `name+hash`: how a key is named where its bytes are known, or do not matter. */
export function keyLabel({ name, keyId }: Pick<VerifierKey, "name" | "keyId">): string {
  return `${name}+${keyId.toString(16).padStart(8, "0")}`;
}

function keyIdOf(name: string, material: Uint8Array): number {
  return hash("sha256", Buffer.concat([Buffer.from(`${name}\n`), material]), "buffer").readUInt32BE(0);
}

/** Non-empty, without Unicode spaces and plus signs, and fit to stand in a note. */
export function isKeyName(name: string): boolean {
  return name.isWellFormed() && !hasControlCharacter(name) && /^[^\s+\u0085]+$/u.test(name);
}

/** ASCII control characters, which no note may have, other than the newline. */
export function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 && unit !== 0x0a) return true;
  }
  return false;
}
