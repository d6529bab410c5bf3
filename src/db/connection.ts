import type { Kysely } from "kysely";
import { openPGlite } from "./connection/pglite.ts";
import { openPostgres } from "./connection/postgres.ts";
import type { Schema } from "./schema.ts";

/** Runs one statement on one connection; a text is prepared once there and reused. */
export type Query = <Row>(text: string, values?: readonly unknown[]) => Promise<Row[]>;

export interface Database {
  readonly kysely: Kysely<Schema>;
  readonly kind: "postgres" | "pglite";
  /** Whether a commit survives the loss of power: never on PGlite, nor where the server has `fsync = off`. */
  readonly durable: boolean;
  /** What an operator should know about how this database is set up, in whole sentences. */
  readonly warnings: readonly string[];
  /**
   * Runs the statements in one transaction (read committed). When `run` throws, everything is rolled back;
   * when the answer to the commit is lost, throws `CommitUnknown`.
   */
  transaction<T>(run: (query: Query) => Promise<T>): Promise<T>;
  /**
   * Calls back for each notification, and once with an empty payload after a lost connection was made anew:
   * something may have been missed. Resolves to the way to stop.
   */
  listen(channel: string, listener: (payload: string) => void): Promise<() => Promise<void>>;
  /** Connections of this process, and who waits for one. */
  readonly pool: { readonly total: number; readonly idle: number; readonly waiting: number };
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** `postgres://…` as the application's role. Absent: PGlite under `dataDir`. */
  readonly databaseUrl?: string;
  /** `postgres://…` as the role that owns the tables (`MIGRATE_DATABASE_URL`). */
  readonly migrateUrl?: string;
  readonly dataDir: string;
  /** Connections of this process at most. */
  readonly poolSize?: number;
  /** Takes the database as it is: nothing is made, migrated or granted. */
  readonly asItIs?: boolean;
}

/**
 * Opens the database with its schema brought up to date.
 *
 * Throws `configuration-invalid` (another process holds the data directory, a migration's text changed, the
 * role may not migrate; `asItIs`: no database is there, or its schema is another version's) and `unavailable` (no
 * connection).
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  return options.databaseUrl === undefined
    ? openPGlite(options)
    : openPostgres({ ...options, databaseUrl: options.databaseUrl });
}
