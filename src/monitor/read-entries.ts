import { INSTALLATION } from "../custody/events.ts";
import { hasCode } from "../errors.ts";
import { type Checkpoint, parseCheckpoint } from "../tlog/checkpoint.ts";
import type { Frontier } from "../tlog/frontier.ts";
import { leafHash } from "../tlog/hash.ts";
import { parseNote } from "../tlog/note.ts";
import { proveConsistency } from "../tlog/proofs.ts";
import { verifyRange } from "../tlog/range.ts";
import type { TileReader } from "../tlog/tiles.ts";
import type { Alarm } from "./alarm.ts";
import { checkEvents, type Entry, readEntry, readTold } from "./check-events.ts";
import type { Monitor } from "./monitor.ts";
import { watchedIn } from "./watch.ts";

/** Types of the installation's events that change who signs for the log. */
const KEY_CHANGES: ReadonlySet<string> = new Set(["log-key.added", "log-key.retired"]);

/**
 * Reads the next entries of the verified tree, up to the end of a bundle, and looks at each: its hash, what anybody may
 * know of it, and, for the project's own, the event that the auditor is told. Returns whether there are more.
 *
 * What was read is remembered after its alarms were told: a crash in between tells them once more, and none is lost.
 */
export async function* readEntries(monitor: Monitor, readTiles: TileReader): AsyncGenerator<Alarm, boolean> {
  const { log, memory } = monitor;
  const { checkpoint, read } = memory.state;
  if (checkpoint === null) return false;
  const tree = parseCheckpoint(parseNote(checkpoint).text);
  if (read.size >= tree.size) return false;

  const leaves = await log.entries(read.size, tree.size);
  const after = await prove(read, leaves, tree, readTiles);
  if (after === undefined) {
    const message = `The entries served from ${read.size} on are not those of the tree that the log signed.`;
    yield { alarm: "entries", index: read.size, message };
    return false;
  }
  const entries = leaves.map((bytes, i) => readEntry(read.size + i, bytes));
  yield* entries.flatMap(publicAlarms);
  yield* await followEvents(monitor, entries, after.size - 1);
  await memory.save({ read: after });
  return after.size < tree.size;
}

async function followEvents(
  { readEvents, memory, watch }: Monitor,
  entries: readonly Entry[],
  last: number,
): Promise<Alarm[]> {
  const { project, read } = memory.state;
  if (readEvents === undefined || project === null) return [];
  const told = await readTold(readEvents, project, { first: read.size, last });
  const { events, alarms } = checkEvents(entries, told, project);
  return [...alarms, ...events.flatMap((event) => watchedIn(event, watch))];
}

async function prove(
  read: Frontier,
  leaves: readonly Uint8Array[],
  tree: Checkpoint,
  readTiles: TileReader,
): Promise<Frontier | undefined> {
  try {
    const proof = await proveConsistency(readTiles, read.size + leaves.length, tree.size);
    return verifyRange(read, leaves.map(leafHash), tree, proof);
  } catch (error) {
    if (hasCode(error, "proof-invalid")) return undefined;
    throw error;
  }
}

function publicAlarms({ index, leaf }: Entry): Alarm[] {
  if (leaf === undefined) {
    const message = `Entry ${index} is of no form that this monitor knows: the log is newer, or damaged.`;
    return [{ alarm: "unknown-entry", index, message }];
  }
  if (leaf.project !== INSTALLATION || !KEY_CHANGES.has(leaf.type)) return [];
  return [
    {
      alarm: "key-change",
      index,
      message: `Entry ${index} (${leaf.type}) changes which keys sign for the log.`,
    },
  ];
}
