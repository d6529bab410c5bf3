import { type KeyObject, sign, verify } from "node:crypto";
import { VouchsafeError } from "../errors.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { hasControlCharacter, isKeyName, readVerifierKey, verifierKeyOf } from "./verifier-key.ts";

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
  refuseUnless(trustedSignatures(parsed, verifiers).length > 0, "none of the trusted keys signed the note");
  return parsed;
}

/** The signatures of a note that are of these keys. Throws `malformed-checkpoint` where one of them is false. */
export function trustedSignatures(
  { text, signatures }: Note,
  verifiers: readonly NoteVerifier[],
): NoteSignature[] {
  const bytes = Buffer.from(text);
  return signatures.filter(({ name, keyId, signature }) => {
    const verifier = verifiers.find((v) => v.name === name && v.keyId === keyId);
    if (verifier === undefined) return false;
    refuseUnless(verifier.verify(bytes, signature), `the signature of ${name} is false`);
    return true;
  });
}

/** Signs a text that ends in a newline and has no other control character. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!text.endsWith("\n") || hasControlCharacter(text)) throw new RangeError("not the text of a note");
  const bytes = Buffer.from(text);
  const signatures = signers.map((signer) => ({ ...signer, signature: signer.sign(bytes) }));
  return `${text}\n${signatures.map(formatSignatureLine).join("")}`;
}

/** With its newline. */
export function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  const id = Buffer.alloc(4);
  id.writeUInt32BE(keyId);
  return `— ${name} ${encodeBase64(Buffer.concat([id, signature]))}\n`;
}

/** The signer of this name with an Ed25519 private key. */
export function ed25519Signer(name: string, privateKey: KeyObject): NoteSigner {
  return {
    name,
    ...verifierKeyOf(name, "Ed25519", privateKey),
    sign: (text) => sign(null, text, privateKey),
  };
}

/** Reads a verifier key, `name+hash+base64`, of type Ed25519. Throws `invalid-request`. */
export function parseVerifierKey(text: string): NoteVerifier {
  const { name, keyId, publicKey } = readVerifierKey(text, "Ed25519");
  return { name, keyId, verify: (note, signature) => verify(null, note, publicKey, signature) };
}

function readKeyId(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}

function refuseUnless(condition: boolean, message: string): asserts condition {
  if (!condition) throw new VouchsafeError("malformed-checkpoint", message);
}
