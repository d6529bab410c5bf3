import { createPublicKey, hash, type KeyObject, sign, verify } from "node:crypto";
import { VouchsafeError } from "../errors.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";

/**
 * C2SP signed notes (c2sp.org/signed-note): a text and the lines of those who signed it. The text means
 * nothing until `openNote` has found a signature of a key that was trusted beforehand.
 */
export interface Note {
  /** Ends in a newline, which is signed with it. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  readonly name: string;
  /** With the name, says which key it was. Too short to be a fingerprint. */
  readonly keyId: number;
  readonly signature: Uint8Array;
}

/** A key whose signatures are believed, under the name it signs by. */
export interface NoteVerifier {
  readonly name: string;
  readonly keyId: number;
  verify(text: Uint8Array, signature: Uint8Array): boolean;
}

export interface NoteSigner {
  readonly name: string;
  readonly keyId: number;
  /** The verifier key that others check it by: `name+hash+base64`. */
  readonly verifierKey: string;
  sign(text: Uint8Array): Uint8Array;
}

/** A post-quantum signature takes some 5 KB, and at least 16 signatures must be readable. */
const MAX_NOTE_LENGTH = 512 * 1024;
const MAX_SIGNATURES = 100;
const ED25519 = 0x01;
/** DER of SubjectPublicKeyInfo up to the 32 bytes of an Ed25519 key (RFC 8410, section 4). */
const ED25519_SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** Takes a note apart without believing it. Throws `malformed-checkpoint`. */
export function parseNote(note: string): Note {
  refuseUnless(note.length <= MAX_NOTE_LENGTH, "the note is too long");
  refuseUnless(note.isWellFormed(), "the note is not Unicode text");
  refuseUnless(!hasControlCharacter(note), "the note has a control character");
  const end = note.lastIndexOf("\n\n");
  refuseUnless(end >= 0, "the note has no blank line before its signatures");
  refuseUnless(note.endsWith("\n"), "the note does not end in a newline");
  const lines = note.slice(end + 2, -1).split("\n");
  refuseUnless(lines.length <= MAX_SIGNATURES, "the note has too many signatures");
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignatureLine) };
}

function parseSignatureLine(line: string): NoteSignature {
  const [dash, name, base64, ...rest] = line.split(" ");
  refuseUnless(
    dash === "—" && base64 !== undefined && rest.length === 0,
    "a signature line has another form",
  );
  refuseUnless(name !== undefined && isKeyName(name), "a signature's key name is not one");
  const bytes = decodeBase64(base64);
  refuseUnless(bytes !== undefined && bytes.length > 4, "a signature is not base64 of a key id and more");
  return { name, keyId: readKeyId(bytes), signature: bytes.subarray(4) };
}

/**
 * The note, if at least one of the verifiers signed it and none of their signatures is false. Signatures of
 * other keys are ignored, as the specification demands: so keys can be rotated and witnesses can cosign.
 * Throws `malformed-checkpoint`.
 */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): Note {
  const parsed = parseNote(note);
  const text = Buffer.from(parsed.text);
  let believed = false;
  for (const { name, keyId, signature } of parsed.signatures) {
    const verifier = verifiers.find((v) => v.name === name && v.keyId === keyId);
    if (verifier === undefined) continue;
    refuseUnless(verifier.verify(text, signature), `the signature of ${name} is false`);
    believed = true;
  }
  refuseUnless(believed, "none of the trusted keys signed the note");
  return parsed;
}

/** Signs a text that ends in a newline and has no other control character. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!text.endsWith("\n") || hasControlCharacter(text)) throw new RangeError("not the text of a note");
  const bytes = Buffer.from(text);
  const lines = signers.map((signer) => {
    const id = Buffer.alloc(4);
    id.writeUInt32BE(signer.keyId);
    return `— ${signer.name} ${encodeBase64(Buffer.concat([id, signer.sign(bytes)]))}\n`;
  });
  return `${text}\n${lines.join("")}`;
}

/** The signer of this name with an Ed25519 private key. */
export function ed25519Signer(name: string, privateKey: KeyObject): NoteSigner {
  if (!isKeyName(name)) throw new RangeError("a key name has neither spaces nor plus signs");
  if (privateKey.asymmetricKeyType !== "ed25519") throw new RangeError("not an Ed25519 key");
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  const material = Buffer.concat([Buffer.of(ED25519), spki.subarray(ED25519_SPKI_PREFIX.length)]);
  const keyId = keyIdOf(name, material);
  return {
    name,
    keyId,
    verifierKey: `${name}+${keyId.toString(16).padStart(8, "0")}+${encodeBase64(material)}`,
    sign: (text) => sign(null, text, privateKey),
  };
}

/** Reads a verifier key, `name+hash+base64`, of type Ed25519. Throws `invalid-request`. */
export function parseVerifierKey(text: string): NoteVerifier {
  const [name = "", idHex = "", ...rest] = text.split("+");
  const material = decodeBase64(rest.join("+"));
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(idHex) || material === undefined) {
    throw new VouchsafeError("invalid-request", "A verifier key has the form name+hash+base64.");
  }
  if (material.length !== 33 || material[0] !== ED25519) {
    throw new VouchsafeError("invalid-request", "Only verifier keys of type Ed25519 are taken.");
  }
  const keyId = Number.parseInt(idHex, 16);
  if (keyId !== keyIdOf(name, material)) {
    throw new VouchsafeError("invalid-request", "The verifier key's hash does not fit its name and key.");
  }
  const der = Buffer.concat([ED25519_SPKI_PREFIX, material.subarray(1)]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  return { name, keyId, verify: (note, signature) => verify(null, note, key, signature) };
}

function keyIdOf(name: string, material: Uint8Array): number {
  return readKeyId(hash("sha256", Buffer.concat([Buffer.from(`${name}\n`), material]), "buffer"));
}

function readKeyId(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}

/** Non-empty, without Unicode spaces and plus signs, and fit to stand in a note. */
export function isKeyName(name: string): boolean {
  return name.isWellFormed() && !hasControlCharacter(name) && /^[^\s+\u0085]+$/u.test(name);
}

/** ASCII control characters, which no note may have, other than the newline. */
function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 && unit !== 0x0a) return true;
  }
  return false;
}

function refuseUnless(condition: boolean, message: string): asserts condition {
  if (!condition) throw new VouchsafeError("malformed-checkpoint", message);
}
