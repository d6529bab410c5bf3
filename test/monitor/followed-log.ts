import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "../../src/client/client.ts";
import type { Alarm } from "../../src/monitor/alarm.ts";
import { MAX_PAGE_BYTES, parseEventPage } from "../../src/monitor/event-page.ts";
import { openMemory } from "../../src/monitor/memory.ts";
import type { Monitor } from "../../src/monitor/monitor.ts";
import { type RoundEnd, runRound } from "../../src/monitor/round.ts";
import { parseLogKeys } from "../../src/tlog/log-keys.ts";
import { readServedLog } from "../../src/tlog/served-log.ts";
import { openNode, type TestNode } from "../http/node.ts";
import { createPostgres, type TestPostgres } from "../support/postgres.ts";

/** A real node that listens, on a database of its own. Nodes with the same key file sign for the same log. */
export interface FollowedLog extends TestNode {
  readonly postgres: TestPostgres;
  readonly url: string;
  /** An auditor's. */
  readonly auditor: string;
}

/**
 * @param keyFiles the log's keys, by the names of files in the directory
 * @param postgres in place of a new database
 */
export async function startLog(
  directory: string,
  keyFiles: readonly string[],
  postgres?: TestPostgres,
): Promise<FollowedLog> {
  const database = postgres ?? (await createPostgres());
  const node = await openNode({
    DATABASE_URL: database.databaseUrl,
    MIGRATE_DATABASE_URL: database.migrateUrl,
    VOUCHSAFE_DATA_DIR: join(directory, new URL(database.databaseUrl).pathname),
    VOUCHSAFE_LOG_KEY_FILE: keyFiles.map((file) => join(directory, file)).join(","),
  });
  return {
    ...node,
    postgres: database,
    url: await node.app.listen({ host: "127.0.0.1", port: 0 }),
    auditor: await node.token(["auditor"]),
  };
}

/** What stands between a monitor and the log that it follows, and may answer in its place. */
export type Between = (
  path: string,
  ask: (log?: FollowedLog) => Promise<Uint8Array>,
) => Promise<Uint8Array> | undefined;

export interface FollowOptions extends Partial<Pick<Monitor, "watch" | "patience" | "maxAge" | "witnesses">> {
  readonly events?: boolean;
  readonly verifierKeys?: string;
}

export const NOTHING: Monitor["watch"] = { digests: new Set(), signers: [], identities: [] };

/** A monitor of a log, with a directory of its own and a clock that the test moves. */
export async function followLog(followed: FollowedLog, options: FollowOptions = {}) {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-monitor-"));
  let between: Between = () => undefined;
  let ahead = 0;
  const read = (path: string, maxBytes: number) => {
    const ask = ({ url, auditor }: FollowedLog = followed) =>
      createClient({ server: url, token: auditor, retries: 0 }).readBytes(path, maxBytes);
    return between(path, ask) ?? ask();
  };
  const trusted = options.verifierKeys ?? followed.v.log.verifierKey;
  const open = async (): Promise<Monitor & { close(): void }> => {
    const memory = await openMemory(directory, Date.now() + ahead);
    return {
      trusted,
      keys: parseLogKeys(trusted),
      readKeys: () => read("/log/keys", 1024 * 1024),
      log: readServedLog((path, maxBytes) => read(`/log/${path}`, maxBytes)),
      ...(options.events !== false && {
        readEvents: async (after) =>
          parseEventPage(
            await read(`/events?limit=100${after === undefined ? "" : `&after=${after}`}`, MAX_PAGE_BYTES),
          ),
      }),
      watch: NOTHING,
      patience: 60_000,
      clock: () => Date.now() + ahead,
      memory,
      close: () => memory.close(),
      ...options,
    };
  };
  return {
    directory,
    /** One round by a monitor that was opened for it, as after a crash. */
    async round(): Promise<{ end: RoundEnd["case"]; alarms: readonly Alarm[]; read: number }> {
      const monitor = await open();
      try {
        const alarms: Alarm[] = [];
        const round = runRound(monitor);
        for (;;) {
          const { done, value } = await round.next();
          if (done) return { end: value.case, alarms, read: monitor.memory.state.read.size };
          alarms.push(value);
        }
      } finally {
        monitor.close();
      }
    },
    open,
    lie(how: Between) {
      between = how;
    },
    advance(milliseconds: number) {
      ahead += milliseconds;
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
}
