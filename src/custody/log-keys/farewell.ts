import { type Checkpoint, parseCheckpoint } from "../../tlog/checkpoint.ts";
import { type LogKeys, openLogCheckpoint } from "../../tlog/log-keys.ts";
import { type NoteSigner, parseNote, signNote } from "../../tlog/note.ts";

/** The last word of a key that is retired: which keys sign on, and a tree in which the log took them on. */
export interface Farewell {
  readonly tree: Checkpoint;
  /** `name+hash` of each. */
  readonly staying: ReadonlySet<string>;
}

/** How an extension line begins (c2sp.org/tlog-checkpoint) that names a key. No other checkpoint of ours has any. */
const STAYING = "stays ";

/**
 * Signs it. No checkpoint that the key signed at work says that it is to go: else whoever stole a key that stood beside
 * it could tell its readers so, and lead them to his own.
 *
 * @param checkpoint of a tree that the key has signed already: nothing is vouched for besides
 */
export function signFarewell(checkpoint: string, staying: readonly string[], retiring: NoteSigner): string {
  const { text } = parseNote(checkpoint);
  return signNote(text + staying.map((label) => `${STAYING}${label}\n`).join(""), [retiring]);
}

/** Throws `malformed-checkpoint` for what none of these keys signed. A checkpoint that is no farewell names nobody. */
export function openFarewell(note: string, keys: LogKeys): Farewell {
  const tree = openLogCheckpoint(note, keys);
  const staying = parseNote(note)
    .text.split("\n")
    .filter((line) => line.startsWith(STAYING))
    .map((line) => line.slice(STAYING.length));
  return { tree, staying: new Set(staying) };
}

/** The size of the tree in it, by its own word. Throws `malformed-checkpoint`. */
export function sizeInFarewell(note: string): number {
  return parseCheckpoint(parseNote(note).text).size;
}
