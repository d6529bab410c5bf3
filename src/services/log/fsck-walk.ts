import { INSTALLATION } from "../../custody/events.ts";
import { type CheckedEntry, chainName, checkEntry, checkLinks } from "../../custody/fsck-entries.ts";
import type { Findings } from "../../custody/fsck-findings.ts";
import { checkTiles } from "../../custody/fsck-tree.ts";
import { type KeyEvent, LOG_KEY_EVENTS } from "../../custody/log-keys/history.ts";
import type { LogEntry } from "../../custody/log-store.ts";
import type { Inspection } from "../../db/inspection/inspection.ts";
import { chainEnds, namedBytes, replay } from "../../db/inspection/replay.ts";
import { readNamedBytes } from "../../db/inspection/stored-bytes.ts";
import { readStoredEntries, readStoredTiles } from "../../db/inspection/stored-log.ts";
import { sha256 } from "../../in-toto-attestation/index.ts";
import { type Frontier, frontierRoot } from "../../tlog/frontier.ts";
import { sameHash } from "../../tlog/hash.ts";
import { createTileStack } from "../../tlog/tile-stack.ts";

/** Entries that are looked at together. */
const BATCH = 512;

/** A tree up to which everything was found right. */
export interface SoundTree {
  readonly size: number;
  readonly root: Uint8Array;
}

export interface WalkOptions {
  /** What an earlier run found right: the bytes that its entries name are not read again. */
  readonly from?: SoundTree;
  /** Told after each batch how far it is, and the tree so far while everything in it was right. */
  readonly onProgress?: (done: number, size: number, sound: SoundTree | undefined) => Promise<void> | void;
}

/** What the entries came to. */
export interface Walked {
  /** Undefined where entries are missing: there is no tree then. */
  readonly tree: Frontier | undefined;
  /** Milliseconds since the epoch, of the newest entry. */
  readonly time: number;
  /** What the installation's events say of the keys that sign the log, as far as they can be read. */
  readonly keyEvents: readonly KeyEvent[];
}

/** Reads a log of this size from its first entry to its last, checks each, and fills the inspection's twins. */
export async function walkLog(
  inspection: Inspection,
  size: number,
  findings: Findings,
  { from, onProgress }: WalkOptions,
): Promise<Walked> {
  const { query } = inspection;
  const stack = createTileStack();
  let isWhole = true;
  let time = 0;
  const keyEvents: KeyEvent[] = [];
  for (let next = 0; next < size; ) {
    const isKnown = from !== undefined && next < from.size;
    const stored = await readStoredEntries(query, next, isKnown ? Math.min(size, from.size) : size, BATCH);
    const checked: CheckedEntry[] = [];
    for (const row of stored) {
      if (row.index !== next) isWhole = missing(findings, next, row.index);
      const one = checkEntry(row, time);
      findings.add(...one.findings);
      checked.push(one);
      time = Math.max(time, one.time ?? time);
      next = row.index + 1;
    }
    if (stored.length === 0) {
      const end = isKnown ? Math.min(size, from.size) : size;
      isWhole = missing(findings, next, end);
      next = end;
    }
    const entries = checked.flatMap(({ entry }) => entry ?? []);
    keyEvents.push(...keyEventsIn(entries));
    findings.add(...checkLinks(checked, await endsBefore(inspection, entries)));
    findings.add(...(await replay(inspection, entries)));
    if (!isKnown) await checkBytes(inspection, entries, findings);
    if (isWhole) {
      const tiles = checked.flatMap(({ leafHash }) => stack.add(leafHash));
      findings.add(...checkTiles(tiles, await readStoredTiles(query, tiles)));
      if (next === from?.size) compareTrees(stack.frontier(), from, findings);
    }
    const tree = stack.frontier();
    const sound = findings.count === 0 ? { size: next, root: frontierRoot(tree) } : undefined;
    await onProgress?.(next, size, sound);
  }
  return { tree: isWhole ? stack.frontier() : undefined, time, keyEvents };
}

function keyEventsIn(entries: readonly LogEntry[]): KeyEvent[] {
  return entries.flatMap(({ index, project, draft: { type, body } }) =>
    project === INSTALLATION && LOG_KEY_EVENTS.includes(type) ? [{ index, type, body }] : [],
  );
}

function missing(findings: Findings, from: number, below: number): false {
  const key = below === from + 1 ? `index ${from}` : `index ${from} to ${below - 1}`;
  findings.add({ table: "log_entries", key, problem: "missing; the tree over it cannot be checked" });
  return false;
}

function compareTrees(tree: Frontier, from: SoundTree, findings: Findings): void {
  if (sameHash(frontierRoot(tree), from.root)) return;
  const problem = `its first ${from.size} entries have another root than when they were last checked: history was rewritten`;
  findings.add({ table: "log_entries", key: `index 0 to ${from.size - 1}`, problem });
}

/** The last index of each chain that these entries join, before the first of them. */
async function endsBefore(
  inspection: Inspection,
  entries: readonly LogEntry[],
): Promise<Map<string, number>> {
  const chains = new Map(
    entries.flatMap(({ project, draft }) =>
      draft.about.map((key) => [chainName(project, key), { project, key }] as const),
    ),
  );
  const ends = await chainEnds(inspection, [...chains.values()]);
  return new Map(
    [...chains.keys()].flatMap((name, i) => (ends[i] == null ? [] : [[name, ends[i]] as const])),
  );
}

async function checkBytes(
  inspection: Inspection,
  entries: readonly LogEntry[],
  findings: Findings,
): Promise<void> {
  for await (const { table, project, id, bytes } of readNamedBytes(inspection, namedBytes(entries))) {
    const hash = sha256(bytes);
    if (hash === id) continue;
    const key = `project_id ${project}, ${table === "evidence" ? "id" : "hash"} ${id}`;
    findings.add({ table, key, problem: `bytes hash to ${hash}` });
  }
}
