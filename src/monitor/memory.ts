import { hash } from "node:crypto";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { readIfThere } from "../create-once.ts";
import { lockDirectory } from "../directory-lock.ts";
import { VouchsafeError } from "../errors.ts";
import { replaceFile } from "../replace-file.ts";
import { parseCheckpoint } from "../tlog/checkpoint.ts";
import { parseNote } from "../tlog/note.ts";
import type { Memory, Monitor } from "./monitor.ts";
import { formatState, type MonitorState, newState, parseState } from "./state.ts";

/** The first are what matters: a log that signs whatever is asked of it does not fill the disk. */
const MAX_NOTES = 1000;

/**
 * A monitor's memory in a directory of its own: `state.json`, and the notes that were kept, under their hashes.
 * Held for this process until it is closed.
 *
 * @throws VouchsafeError `configuration-invalid` where the directory is in use, or its state is damaged
 */
export async function openMemory(directory: string, now: number): Promise<Memory & { close(): void }> {
  const unlock = await lockDirectory(directory);
  const file = join(directory, "state.json");
  let state: MonitorState;
  try {
    const text = (await readIfThere(file))?.toString();
    state = text === undefined ? newState(now) : parseState(text);
  } catch (error) {
    unlock();
    throw error;
  }
  return {
    get state() {
      return state;
    },
    async save(changes) {
      const next = { ...state, ...changes };
      await written(file, replaceFile(file, formatState(next)));
      state = next;
    },
    keepNotes: (...notes) => keepNotes(join(directory, "evidence"), notes),
    close: unlock,
  };
}

/** Whoever cannot remember must not go on as if he did. */
async function written(path: string, writing: Promise<void>): Promise<void> {
  try {
    await writing;
  } catch (cause) {
    throw new VouchsafeError("configuration-invalid", `${path} cannot be written`, { cause });
  }
}

async function keepNotes(directory: string, notes: readonly string[]): Promise<string[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const kept: string[] = [];
  for (const note of notes) {
    const name = `${hash("sha256", note).slice(0, 32)}.note`;
    const names = await readdir(directory);
    if (!names.includes(name) && names.length >= MAX_NOTES) continue;
    if (!names.includes(name)) await written(name, replaceFile(join(directory, name), note));
    kept.push(join(directory, name));
  }
  return kept;
}

/** Refuses a memory of another log, or one that does not fit what is to be followed. Throws `configuration-invalid`. */
export function requireFit({ memory, keys, readEvents, watch }: Monitor): void {
  const { checkpoint, project, read } = memory.state;
  const origin = checkpoint === null ? keys.origin : parseCheckpoint(parseNote(checkpoint).text).origin;
  if (origin !== keys.origin) throw misfit(`is of the log ${origin}`);
  if (project !== null && readEvents === undefined)
    throw misfit(`follows the events of project ${project}, for which an auditor's token is needed`);
  const isWatching = watch.digests.size + watch.signers.length + watch.identities.length > 0;
  if (isWatching && (readEvents === undefined || (project === null && read.size > 0)))
    throw misfit(
      "follows no events, so nothing can be watched: give an auditor's token, and a new directory",
    );
}

function misfit(what: string): VouchsafeError {
  return new VouchsafeError("configuration-invalid", `The monitor's state ${what}`);
}
