import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../config/config.ts";
import { readAcknowledged } from "../../custody/writer/acknowledged.ts";
import type { Database } from "../../db/connection.ts";
import { readHead } from "../../db/log.ts";
import { readWitnessRecords, type WitnessRecord } from "../../db/witnesses.ts";
import { readPassphrase } from "../../key-file.ts";
import { readPrivateKey } from "../../private-key.ts";
import { openLogCheckpoint, parseLogKeys } from "../../tlog/log-keys.ts";
import { ed25519Signer } from "../../tlog/note.ts";
import { readActiveKeys } from "../log/read-log-keys.ts";
import { bad, type Finding, ok, warning } from "./finding.ts";

const MINUTE = 60_000;
/** How long a witness may be behind, in milliseconds: the nodes ask each every second. */
const LAG = 5 * MINUTE;
/** How far clocks of nodes may be ahead of this one, in milliseconds. */
const AHEAD = MINUTE;

export async function lookAtLog(
  config: Config,
  database: Database,
  now: number,
): Promise<readonly Finding[]> {
  const { size, time, checkpoint } = await readHead(database.kysely);
  const rollback = await rolledBack(config, size);
  if (size === 0) return rollback ?? [ok("log", "the log has not begun: the first start does that")];
  const active = await readActiveKeys({ database });
  const findings = [
    signature(checkpoint, size, active),
    lastEntry(size, time, now),
    await keys(config, active),
    ...(rollback ?? []),
  ];
  if (config.witnessesFile === undefined) return findings;
  const records = await readWitnessRecords(database.kysely);
  return [...findings, ...records.map((record) => witness(record, size, now))];
}

/** Undefined where the database has all that this node acknowledged. */
async function rolledBack(config: Config, size: number): Promise<readonly Finding[] | undefined> {
  const known = await readAcknowledged(join(config.dataDir, "acknowledged"), config.origin);
  if (known === undefined || known.size <= size) return undefined;
  const what = `this node has acknowledged ${known.size} entries, and the database has ${size}: it is an older one`;
  const advice =
    "Restore the newest dump, or replay the write-ahead log (docs/backup.md). If it is another database, give it a data directory of its own.";
  return [bad("log", what, advice)];
}

function signature(checkpoint: string, size: number, active: readonly string[]): Finding {
  const advice = "Run `vouchsafe log fsck`, and restore a dump that holds.";
  try {
    const opened = openLogCheckpoint(checkpoint, parseLogKeys(active.join("\n")));
    if (opened.size === size)
      return ok("log", `the log's head is signed by ${active.length === 1 ? "its key" : "its keys"}`);
    return bad("log", `the log's head says ${size} entries, and its checkpoint ${opened.size}`, advice);
  } catch {
    return bad("log", "the log's head is not signed by the key that the log names", advice);
  }
}

function lastEntry(size: number, time: number, now: number): Finding {
  const age = now - time;
  if (age < -AHEAD)
    return bad(
      "log",
      `the newest of ${size} entries is ${Math.round(-age / 1000)} seconds in the future`,
      "Set the clocks of all nodes by NTP.",
    );
  return ok("log", `${size} entries, the newest ${Math.max(0, Math.round(age / MINUTE))} minutes old`);
}

/** Whether the files hold the keys that sign the log. They are only read: a start would make or encrypt them. */
async function keys(config: Config, active: readonly string[]): Promise<Finding> {
  const { logKeyFiles, dataDir, origin } = config;
  const files = logKeyFiles.length > 0 ? logKeyFiles : [join(dataDir, "log-key.pem")];
  const passphrase = await readPassphrase(config.keyPassphraseFile);
  const advice =
    "Name the files of exactly the log's keys in VOUCHSAFE_LOG_KEY_FILE; nodes that share a database share them.";
  const held: string[] = [];
  for (const file of files) {
    const pem = await readFile(file, "utf8").catch(() => undefined);
    const key = pem === undefined ? undefined : readPrivateKey(pem, passphrase);
    if (key?.asymmetricKeyType !== "ed25519")
      return bad("log-key", `${file} holds no Ed25519 key that can be read, and the log has one`, advice);
    held.push(ed25519Signer(origin, key).verifierKey);
  }
  if (held.toSorted().join() === active.toSorted().join())
    return ok("log-key", "the log's key is the one that is configured");
  if (active.every((key) => held.includes(key)))
    return ok("log-key", "the log's keys are configured, and one that it takes on at the next start");
  return bad("log-key", "the key that is configured is not the log's", advice);
}

function witness(
  { key, size, cosignedAt, trouble, contradiction }: WitnessRecord,
  head: number,
  now: number,
): Finding {
  const name = key.split("+")[0] ?? key;
  if (contradiction !== null)
    return bad(
      "witness",
      `${name} contradicts the log: ${contradiction}`,
      'See "After a restore" in docs/operations.md.',
    );
  const isBehind = size < head && now - (cosignedAt ?? 0) > LAG;
  if (!isBehind) return ok("witness", `${name} has cosigned ${size} of ${head} entries`);
  return warning(
    "witness",
    `${name} is behind: it has cosigned ${size} of ${head} entries${trouble === null ? "" : `; ${trouble}`}`,
    "Ask who runs it.",
  );
}
