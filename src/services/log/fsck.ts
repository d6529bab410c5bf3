import { INSTALLATION } from "../../custody/events.ts";
import { createFindings, type Finding, type Findings } from "../../custody/fsck-findings.ts";
import { checkHead, type StoredHead } from "../../custody/fsck-tree.ts";
import { activeKeys, type KeyEvent, logKeysOf } from "../../custody/log-keys/history.ts";
import { type Database, type DatabaseOptions, openDatabase } from "../../db/connection.ts";
import { differences } from "../../db/inspection/differences.ts";
import { beginInspection } from "../../db/inspection/inspection.ts";
import { readEnd, readMissingProjects, readStoredHeads, readStrays } from "../../db/inspection/stored-log.ts";
import { parseLogKeys } from "../../tlog/log-keys.ts";
import { type WalkOptions, walkLog } from "./fsck-walk.ts";

/** Entries and tiles beyond the tree that are told of. */
const STRAYS = 100;

export interface FsckOptions extends WalkOptions {
  /** The log's verifier keys, one a line, from where the database's administrator cannot change them. */
  readonly logKeys?: string;
}

export interface FsckReport {
  /** The keys that the log's own events say sign it, and whether one of those that were given is needed besides. */
  readonly verifierKeys: readonly string[];
  readonly pinned: boolean;
  readonly size: number;
  readonly findings: readonly Finding[];
  /** How many findings there are, those that were not kept among them. */
  readonly count: number;
}

/**
 * Opens the database as it is, for no more than `fsck`.
 *
 * @throws VouchsafeError as `openDatabase` and `fsck`
 */
export async function fsckDatabase(
  where: Pick<DatabaseOptions, "databaseUrl" | "dataDir">,
  options: FsckOptions,
): Promise<FsckReport> {
  const database = await openDatabase({ ...where, asItIs: true });
  try {
    return await fsck(database, options);
  } finally {
    await database.close();
  }
}

/**
 * Checks the database against its log, as of one moment: nodes may go on appending.
 *
 * 1. Each leaf is one; its hash, its columns, its body and its links are those that it commits to.
 * 2. The leaves make exactly the tiles that are stored, and the head, which the log's keys signed.
 * 3. The bytes of evidence and documents are those that events name.
 * 4. Every other table is what comes out when its rows are derived from the events anew.
 *
 * @throws VouchsafeError `unavailable`; `invalid-request` for keys that are none
 */
export async function fsck(database: Database, options: FsckOptions = {}): Promise<FsckReport> {
  const given = options.logKeys === undefined ? undefined : parseLogKeys(options.logKeys);
  return database.transaction(async (query) => {
    const inspection = await beginInspection(query);
    const findings = createFindings();
    const head = oneHead(await readStoredHeads(query), findings);
    const end = Number(await readEnd(query));
    const size = head === undefined ? end : Math.min(Number(head.size), end);
    if (options.from !== undefined && options.from.size > size) {
      const problem = `the log has ${size} entries, and had ${options.from.size} when it was last checked: it was rolled back`;
      findings.add({ table: "log_head", key: "the only row", problem });
    }

    const { tree, time, keyEvents } = await walkLog(inspection, size, findings, options);
    // A log that has not begun pins no key yet.
    const verifierKeys = size === 0 ? [] : keysBy(keyEvents, findings);
    if (head !== undefined && tree !== undefined && verifierKeys.length > 0) {
      const active = parseLogKeys(verifierKeys.join("\n"));
      findings.add(...checkHead(head, { frontier: tree, time }, active, given));
    }
    for (const stray of await readStrays(query, size, STRAYS))
      findings.add({ ...stray, problem: `a log of ${size} entries does not have it` });
    for (const project of await readMissingProjects(inspection, INSTALLATION))
      findings.add({ table: "projects", key: `id ${project}`, problem: "missing, and events are of it" });
    findings.add(...(await differences(inspection, size)));
    return {
      verifierKeys,
      pinned: given !== undefined,
      size,
      findings: findings.kept,
      count: findings.count,
    };
  });
}

function oneHead(heads: readonly StoredHead[], findings: Findings): StoredHead | undefined {
  if (heads.length !== 1)
    findings.add({ table: "log_head", key: "the only row", problem: `there are ${heads.length} rows` });
  return heads[0];
}

/** The keys that sign the log after its newest entry, by the log's own events. */
function keysBy(events: readonly KeyEvent[], findings: Findings): readonly string[] {
  try {
    const active = activeKeys(logKeysOf(events)).map(({ verifierKey }) => verifierKey);
    if (active.length > 0) return active;
    findings.add({ table: "log_entries", key: "index 0", problem: "it pins no key of the log" });
  } catch (error) {
    const problem = `they name no keys that could sign the log: ${error instanceof Error ? error.message : ""}`;
    findings.add({ table: "log_entries", key: "events about the log's keys", problem });
  }
  return [];
}
