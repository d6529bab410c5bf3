import { VouchsafeError } from "../errors.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { HASH_BYTES } from "./hash.ts";
import { type NoteSigner, type NoteVerifier, openNote, signNote } from "./note.ts";
import { isTreeSize } from "./subtrees.ts";

/** What a log says of itself at one moment (c2sp.org/tlog-checkpoint). */
export interface Checkpoint {
  /** The log's unique name, e.g. `vouchsafe.example.com/log`. */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

/** The note text: origin, size and root, a line each. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  if (origin === "" || origin.includes("\n")) throw new RangeError("an origin is one line");
  if (!isTreeSize(size)) throw new RangeError(`${size} is no tree size`);
  if (root.length !== HASH_BYTES) throw new RangeError("a root hash has 32 bytes");
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

/** Reads a note's text as a checkpoint. Extension lines are passed over. Throws `malformed-checkpoint`. */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split("\n");
  const [origin = "", sizeText = "", rootText = ""] = lines;
  refuseUnless(lines.pop() === "" && lines.length >= 3, "a checkpoint has at least three lines");
  refuseUnless(!lines.includes(""), "a checkpoint has no empty lines");
  const size = Number(sizeText);
  refuseUnless(/^[0-9]+$/.test(sizeText) && String(size) === sizeText, "the tree size is not a plain number");
  refuseUnless(isTreeSize(size), "the tree size is too large");
  const root = decodeBase64(rootText);
  refuseUnless(root?.length === HASH_BYTES, "the root hash is not base64 of 32 bytes");
  return { origin, size, root };
}

/** A checkpoint as a signed note. */
export function signCheckpoint(checkpoint: Checkpoint, signers: readonly NoteSigner[]): string {
  return signNote(formatCheckpoint(checkpoint), signers);
}

/**
 * The checkpoint in a note that one of the log's keys signed. The origin must be that of the log, so that no
 * log can stand in for another that shares its key. Throws `malformed-checkpoint`.
 */
export function openCheckpoint(note: string, origin: string, verifiers: readonly NoteVerifier[]): Checkpoint {
  const checkpoint = parseCheckpoint(openNote(note, verifiers).text);
  refuseUnless(checkpoint.origin === origin, "the checkpoint is of another log");
  return checkpoint;
}

function refuseUnless(condition: boolean, message: string): asserts condition {
  if (!condition) throw new VouchsafeError("malformed-checkpoint", message);
}
