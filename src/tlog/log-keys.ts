import { VouchsafeError } from "../errors.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";
import { type NoteSignature, type NoteVerifier, parseNote, parseVerifierKey } from "./note.ts";

/**
 * What a reader knows a log by, from elsewhere: its origin, and one or more keys that sign under that name. While the
 * log's keys overlap, either is enough.
 */
export interface LogKeys {
  readonly origin: string;
  readonly verifiers: readonly NoteVerifier[];
}

export interface OpenedCheckpoint extends Checkpoint {
  /** Lines by keys that the reader was not given: further keys of the log, and witnesses. They say nothing to it. */
  readonly others: readonly NoteSignature[];
}

/** More keys of one log than ever overlap. */
const MAX_KEYS = 16;

/** Reads one verifier key a line, all of one name: that of the log. Throws `invalid-request`. */
export function parseLogKeys(text: string): LogKeys {
  const lines = text.trim().split(/\r?\n/, MAX_KEYS + 1);
  const verifiers = lines.map(parseVerifierKey);
  const origin = verifiers[0]?.name ?? "";
  if (lines.length > MAX_KEYS || verifiers.some(({ name }) => name !== origin)) {
    throw new VouchsafeError("invalid-request", `These are no keys of one log, ${MAX_KEYS} at most`);
  }
  return { origin, verifiers };
}

/** The checkpoint in a note of this log that at least one of its keys signed, and none falsely. Throws `malformed-checkpoint`. */
export function openLogCheckpoint(note: string, { origin, verifiers }: LogKeys): OpenedCheckpoint {
  const checkpoint = openCheckpoint(note, origin, verifiers);
  const others = parseNote(note).signatures.filter(
    ({ name, keyId }) => !verifiers.some((known) => known.name === name && known.keyId === keyId),
  );
  return { ...checkpoint, others };
}
