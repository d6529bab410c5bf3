import type { LogEvent } from "../custody/events.ts";
import { writeEntry, writeExportHeader, writeOwnEntry } from "../custody/log-export.ts";
import { type Material, writeRecord } from "../custody/pack.ts";
import { broughtBy, type Reference } from "../custody/references.ts";
import { VouchsafeError } from "../errors.ts";
import { parseCheckpoint } from "../tlog/checkpoint.ts";
import { grow } from "../tlog/frontier.ts";
import { leafHash } from "../tlog/hash.ts";
import { parseNote } from "../tlog/note.ts";
import { proveConsistency, readFrontier } from "../tlog/proofs.ts";
import { verifyRange } from "../tlog/range.ts";
import type { ServedLog } from "../tlog/served-log.ts";
import { checkEvents, type Entry, readEntry, readTold } from "./check-events.ts";
import type { EventPage } from "./event-page.ts";

/** What a range is exported from. */
export interface ExportSource {
  readonly log: ServedLog;
  /** With an auditor's token, for the project's events and what came with them. */
  readonly auditor?: {
    readEvents(after: number | undefined): Promise<EventPage>;
    readMaterial(reference: Reference, event: LogEvent): Promise<Material>;
  };
}

export interface RangeToExport {
  readonly from: number;
  /** The first index that is not in it; the tree's size unless given. */
  readonly to?: number;
  /** The signed note of the tree that it is proved to be in. */
  readonly checkpoint: string;
}

/**
 * A range of the log as a file (docs/log-format.md), line by line: one bundle of entries in memory at a time. What is
 * served must be the tree of the checkpoint, and the events all that the project has there, as the log has them. Who signed
 * that checkpoint is asked by who verifies the file.
 *
 * Throws `proof-invalid` for other entries or events, after lines that are then to be thrown away; `invalid-request` for a
 * range that the tree does not have.
 */
export async function* exportLog(
  { log, auditor }: ExportSource,
  { from, to: end, checkpoint }: RangeToExport,
): AsyncGenerator<Uint8Array> {
  const tree = parseCheckpoint(parseNote(checkpoint).text);
  const to = end ?? tree.size;
  if (from > to || to > tree.size)
    throw new VouchsafeError(
      "invalid-request",
      `The tree of ${tree.size} has no entries ${from} up to ${to}`,
    );
  const before = await readFrontier(log.readTiles, from, tree.size);
  const proof = await proveConsistency(log.readTiles, to, tree.size);
  const project = auditor === undefined ? null : (await auditor.readEvents(undefined)).project;
  yield writeExportHeader({ before, to, project, checkpoint, proof });

  let grown = before;
  while (grown.size < to) {
    const { size: first } = grown;
    const leaves = (await log.entries(first, tree.size)).slice(0, to - first);
    const entries = leaves.map((bytes, i) => readEntry(first + i, bytes));
    yield* auditor === undefined || project === null
      ? entries.map(({ index, bytes }) => writeEntry(index, bytes))
      : ownLines(auditor, entries, project);
    grown = grow(grown, leaves.map(leafHash)).after;
  }
  verifyRange(grown, [], tree, proof);
}

async function* ownLines(
  { readEvents, readMaterial }: NonNullable<ExportSource["auditor"]>,
  entries: readonly Entry[],
  project: string,
): AsyncGenerator<Uint8Array> {
  const [first = 0, last = 0] = [entries[0]?.index, entries.at(-1)?.index];
  const told = await readTold(readEvents, project, { first, last });
  const { events, alarms } = checkEvents(entries, told, project);
  for (const { message } of alarms) throw new VouchsafeError("proof-invalid", message);
  const byIndex = new Map(events.map((event) => [event.index, event]));
  for (const { index, bytes } of entries) {
    const event = byIndex.get(index);
    const brought = event && broughtBy(event);
    if (event && brought) yield writeRecord(await readMaterial(brought, event));
    yield event ? writeOwnEntry(event) : writeEntry(index, bytes);
  }
}
