import { ApiError } from "../client/api-error.ts";
import { hasCode, VouchsafeError } from "../errors.ts";
import { type Checkpoint, parseCheckpoint } from "../tlog/checkpoint.ts";
import { sameHash } from "../tlog/hash.ts";
import { openLogCheckpoint } from "../tlog/log-keys.ts";
import { parseNote } from "../tlog/note.ts";
import { proveConsistency, verifyConsistency } from "../tlog/proofs.ts";
import type { TileReader } from "../tlog/tiles.ts";
import { keyLabel } from "../tlog/verifier-key.ts";
import { witnessesOf } from "../tlog/witnesses.ts";
import type { Alarm } from "./alarm.ts";
import { lasting, type Monitor } from "./monitor.ts";
import { vouchingFor } from "./vouched-keys.ts";

/**
 * Holds the checkpoint that the log shows to the newest that was verified, and remembers it when it is a larger
 * tree that extends that one. What contradicts it is never taken on, however often it is shown.
 */
export async function* followTree(monitor: Monitor): AsyncGenerator<Alarm> {
  const { log, memory, clock } = monitor;
  const note = await log.checkpoint();
  const shown = yield* openShown(monitor, note);
  if (shown === undefined) return;

  const kept = memory.state.checkpoint;
  if (kept === null) return void (await memory.save({ checkpoint: note, grewAt: clock() }));
  const seen = parseCheckpoint(parseNote(kept).text);
  const relation = await compare(log.readTiles, seen, shown);
  if (relation === "extends" && shown.size > seen.size) {
    // Before anything is said about it: after a crash here it is still what the next one must extend.
    await memory.save({ checkpoint: note, grewAt: clock() });
  }
  if (relation === "contradicts" || relation === "lost") {
    const evidence = await memory.keepNotes(kept, note);
    const trees = `a tree of ${seen.size} entries and one of ${shown.size}`;
    yield relation === "contradicts"
      ? { alarm: "split-view", evidence, message: `The log signed ${trees}, and neither extends the other.` }
      : { alarm: "rollback", evidence, message: `The log signed ${trees}, and serves the larger no more.` };
  }
  yield* lasting(
    monitor,
    "older",
    relation === "older" ? `The log shows ${shown.size} entries and has signed ${seen.size}` : undefined,
  );
}

/** The checkpoint in the note, if one of the keys given signed it. */
async function* openShown(monitor: Monitor, note: string): AsyncGenerator<Alarm, Checkpoint | undefined> {
  const { keys, witnesses, memory } = monitor;
  // What is no note at all was not written by a log, but by something that stands before it.
  const { signatures } = parseNote(note);
  const strangers = signatures.filter(
    ({ name, keyId }) => name === keys.origin && !keys.verifiers.some((verifier) => verifier.keyId === keyId),
  );
  if (strangers.length > 0) {
    const labels = strangers.map(keyLabel);
    const message = `Keys that were not given sign under the log's name: ${labels.join(", ")}.`;
    yield { alarm: "key-change", message: `${message} ${await vouchingFor(monitor, labels)}` };
  }
  try {
    const checkpoint = openLogCheckpoint(note, keys);
    const isWitnessed = witnesses === undefined || witnessesOf(note, witnesses).quorum;
    yield* lasting(
      monitor,
      "unwitnessed",
      isWitnessed ? undefined : `Too few witnesses cosigned the tree of ${checkpoint.size} entries`,
    );
    return checkpoint;
  } catch (error) {
    if (!(error instanceof VouchsafeError)) throw error;
    const evidence = await memory.keepNotes(note);
    yield { alarm: "signature", evidence, message: `The checkpoint is not believed: ${error.message}.` };
    return undefined;
  }
}

interface Tree {
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * How the tree that is shown stands to the one seen, by tiles that are hashed here. `older`: the one seen extends it, and
 * is still served. `lost`: the one seen is served no more, which a log that only grows never does.
 */
async function compare(
  readTiles: TileReader,
  seen: Tree,
  shown: Tree,
): Promise<"extends" | "older" | "contradicts" | "lost"> {
  if (shown.size === seen.size) return sameHash(shown.root, seen.root) ? "extends" : "contradicts";
  const isOlder = shown.size < seen.size;
  const [small, large] = isOlder ? [shown, seen] : [seen, shown];
  try {
    verifyConsistency(small, large, await proveConsistency(readTiles, small.size, large.size));
    return isOlder ? "older" : "extends";
  } catch (error) {
    if (hasCode(error, "proof-invalid")) return "contradicts";
    if (isOlder && error instanceof ApiError && error.code === "not-found") return "lost";
    throw error;
  }
}
