import { formatSignatureLine, parseNote } from "./note.ts";

/**
 * One note with the signatures of both, of each key the first. Throws `malformed-checkpoint` for what is no note,
 * and `RangeError` for notes of two texts.
 */
export function joinSignatures(note: string, other: string): string {
  const [{ text, signatures }, more] = [parseNote(note), parseNote(other)];
  if (text !== more.text) throw new RangeError("signatures of one text say nothing of another");
  const added = more.signatures.filter(
    ({ name, keyId }) => !signatures.some((line) => line.name === name && line.keyId === keyId),
  );
  return `${text}\n${[...signatures, ...added].map(formatSignatureLine).join("")}`;
}
