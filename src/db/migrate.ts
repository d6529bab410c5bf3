import { createHash } from "node:crypto";
import { VouchsafeError } from "../errors.ts";
import { MIGRATIONS, type Migration } from "./migrations/index.ts";

/** One connection of the role that owns the tables. */
export interface MigrationSession {
  /** Runs several statements without values. */
  exec(sql: string): Promise<void>;
  query<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
}

/** "vouchsaf" as a number: the advisory lock of everybody who migrates this database. */
const LOCK = 0x766f_7563_6873;

/**
 * Runs in one transaction while no other process migrates this database: a crash or a mistake leaves it as it was.
 */
export async function whileMigrating(session: MigrationSession, run: () => Promise<void>): Promise<void> {
  await session.exec("begin");
  try {
    await session.query("select pg_advisory_xact_lock($1)", [LOCK]);
    await run();
    await session.exec("commit");
  } catch (error) {
    await session.exec("rollback");
    throw error;
  }
}

/**
 * Brings the schema up to date. Any number of processes may call this at once, each in `whileMigrating`; one
 * migrates and the others find the work done.
 *
 * Throws `configuration-invalid` when a migration that was applied reads differently now, or when the database
 * is of a newer version than this program.
 */
export async function applyMigrations(session: MigrationSession, migrations = MIGRATIONS): Promise<void> {
  await session.exec(
    "create table if not exists schema_migrations (name text primary key, sha256 text not null)",
  );
  for (const migration of await pendingMigrations(session, migrations)) {
    await session.exec(migration.sql);
    await session.query("insert into schema_migrations (name, sha256) values ($1, $2)", [
      migration.name,
      hashOf(migration),
    ]);
  }
}

/** The migrations that are still to be applied; those that were must be the same, in the same order. */
async function pendingMigrations(
  session: Pick<MigrationSession, "query">,
  migrations = MIGRATIONS,
): Promise<readonly Migration[]> {
  const applied = await session.query<{ name: string; sha256: string }>(
    "select name, sha256 from schema_migrations order by name",
  );
  for (const [i, { name, sha256 }] of applied.entries()) {
    const migration = migrations[i];
    if (migration?.name !== name || hashOf(migration) !== sha256) {
      throw new VouchsafeError(
        "configuration-invalid",
        `The database has migration ${name}, which this version does not have in that form: run the version that migrated it, or a newer one`,
      );
    }
  }
  return migrations.slice(applied.length);
}

/** Whether this version's schema is there. Throws `configuration-invalid` as `pendingMigrations` does. */
export async function isCurrent(session: Pick<MigrationSession, "query">): Promise<boolean> {
  const [table] = await session.query<{ found: boolean }>(
    "select to_regclass('schema_migrations') is not null as found",
  );
  return table?.found === true && (await pendingMigrations(session)).length === 0;
}

/** For who takes the database as it is. Throws `configuration-invalid`. */
export async function refuseUnlessCurrent(session: Pick<MigrationSession, "query">): Promise<void> {
  if (await isCurrent(session)) return;
  throw new VouchsafeError(
    "configuration-invalid",
    "The database's schema is not that of this version: run `vouchsafe migrate` first",
  );
}

function hashOf({ sql }: Migration): string {
  return createHash("sha256").update(sql).digest("hex");
}
