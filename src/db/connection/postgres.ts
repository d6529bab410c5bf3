import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { CommitUnknown } from "../../custody/log-store.ts";
import { VouchsafeError } from "../../errors.ts";
import type { Database, Query } from "../connection.ts";
import type { Schema } from "../schema.ts";
import { bytesOf, integerOf } from "./column-values.ts";
import { migratePostgres } from "./migrate-postgres.ts";
import { translateErrors } from "./unavailable.ts";

const DEFAULT_POOL_SIZE = 10;
/** Long enough for a failover, short enough that a caller still hears why. */
const CONNECT_TIMEOUT = 10_000;
const RECONNECT_DELAYS = [100, 250, 500, 1_000, 2_500, 5_000];

export interface PostgresOptions {
  readonly databaseUrl: string;
  readonly migrateUrl?: string;
  readonly poolSize?: number;
  readonly asItIs?: boolean;
}

/** Migrates (`migratePostgres`), then opens the pool of the application's role. */
export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const warnings = await migratePostgres(options);
  const pool = new pg.Pool({
    connectionString: options.databaseUrl,
    max: options.poolSize ?? DEFAULT_POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    keepAlive: true,
    types,
    onConnect: prepareSession,
  });
  // A connection that breaks is dropped by the pool, and the query under way rejects; without listeners on the
  // pool (idle ones) and on each client (those in use) the same news would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  const { rows } = await pool.query<{ fsync: string }>("select current_setting('fsync') as fsync");
  const durable = rows[0]?.fsync === "on";

  const dialect = new PostgresDialect({ pool });
  return {
    kysely: new Kysely<Schema>({
      dialect: {
        createAdapter: () => dialect.createAdapter(),
        createIntrospector: (db) => dialect.createIntrospector(db),
        createQueryCompiler: () => dialect.createQueryCompiler(),
        createDriver: () => translateErrors(dialect.createDriver()),
      },
    }),
    kind: "postgres",
    durable,
    warnings: durable ? warnings : [...warnings, "Postgres runs with fsync = off: receipts are not durable."],
    transaction: (run) => transaction(pool, run),
    listen: (channel, listener) => listen(options.databaseUrl, channel, listener),
    get pool() {
      return { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount };
    },
    close: () => pool.end(),
  };
}

/**
 * Makes each connection keep the log's promises. A server may be set to something stronger than
 * `synchronous_commit = on`; anything weaker would make receipts promise too much. And a node that vanished
 * without a word, its network gone, must not hold the head's lock against the others for long.
 */
async function prepareSession(client: pg.ClientBase): Promise<void> {
  await client.query(
    `select set_config('idle_in_transaction_session_timeout', '15s', false),
       case when current_setting('synchronous_commit') in ('off', 'local', 'remote_write')
         then set_config('synchronous_commit', 'on', false) end`,
  );
}

async function transaction<T>(pool: pg.Pool, run: (query: Query) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((cause: unknown) => {
    throw new VouchsafeError("unavailable", "The database cannot be reached", { cause });
  });
  let usable = false;
  try {
    // Whatever the server's default is: who waited for a lock reads what its holder committed.
    await client.query("begin isolation level read committed");
    let result: T;
    try {
      result = await run(preparedOn(client));
    } catch (error) {
      usable = await client.query("rollback").then(
        () => true,
        () => false,
      );
      throw error;
    }
    await commit(client);
    usable = true;
    return result;
  } finally {
    client.release(!usable);
  }
}

async function commit(client: pg.ClientBase): Promise<void> {
  try {
    const { command } = await client.query("commit");
    // A transaction that a statement had already broken is rolled back by COMMIT, with success.
    if (command !== "COMMIT") throw new Error("the transaction had failed before its commit");
  } catch (cause) {
    throw new CommitUnknown("The answer to a commit was lost", { cause });
  }
}

function preparedOn(client: pg.ClientBase): Query {
  return async <Row>(text: string, values: readonly unknown[] = []) => {
    const result = await client.query({ name: statementName(text), text, values: [...values] });
    return result.rows as Row[];
  };
}

const names = new Map<string, string>();

/** Only texts of ours are ever prepared, so their number is small. */
function statementName(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `vouchsafe_${createHash("sha256").update(text).digest("hex").slice(0, 24)}`;
    names.set(text, name);
  }
  return name;
}

async function listen(
  url: string,
  channel: string,
  listener: (payload: string) => void,
): Promise<() => Promise<void>> {
  const stopped = new AbortController();
  let client = await connectListener();

  async function connectListener(): Promise<pg.Client> {
    const next = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_TIMEOUT,
      keepAlive: true,
    });
    next.on("notification", ({ payload }) => listener(payload ?? ""));
    next.on("error", () => {});
    try {
      await next.connect();
      await next.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      await next.end().catch(() => {});
      throw error;
    }
    // Only now: a client that never connected ends too, and whoever asked for it tries again as it is.
    next.once("end", () => void reconnect());
    return next;
  }

  async function reconnect(): Promise<void> {
    for (let attempt = 0; !stopped.signal.aborted; attempt += 1) {
      try {
        await sleep(RECONNECT_DELAYS[attempt] ?? 5_000, undefined, { signal: stopped.signal });
        const next = await connectListener();
        if (stopped.signal.aborted) {
          await next.end();
          return;
        }
        client = next;
        listener("");
        return;
      } catch {
        // Tried again: whoever listens polls besides, so a database that is away is no error here.
      }
    }
  }

  return async () => {
    stopped.abort();
    await client.end().catch(() => {});
  };
}

const types = {
  getTypeParser(oid: number, format?: "text" | "binary") {
    if (format !== "binary" && oid === pg.types.builtins.INT8) return integerOf;
    const parse = pg.types.getTypeParser(oid, format as "text") as (value: string) => unknown;
    return oid === pg.types.builtins.BYTEA ? (value: string) => bytesOf(parse(value)) : parse;
  },
} as pg.CustomTypesConfig;
