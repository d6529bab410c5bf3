import pg from "pg";
import { VouchsafeError } from "../../errors.ts";
import { ensureRole, grant } from "../grants.ts";
import {
  applyMigrations,
  isCurrent,
  type MigrationSession,
  refuseUnlessCurrent,
  whileMigrating,
} from "../migrate.ts";

/**
 * Migrates as the owner (`migrateUrl`) and grants the application's role, the user of `databaseUrl`, what it
 * needs; creates that role with that URL's password where it is missing. Without `migrateUrl`, a schema that is
 * up to date is used as it is, and any other is migrated by the application's role itself. `asItIs`: only looks whether
 * it is up to date.
 *
 * Resolves to warnings in whole sentences. Throws `unavailable`, and `configuration-invalid` as
 * `applyMigrations` does.
 */
export async function migratePostgres(options: {
  readonly databaseUrl: string;
  readonly migrateUrl?: string;
  readonly asItIs?: boolean;
}): Promise<readonly string[]> {
  const { databaseUrl, migrateUrl } = options;
  if (options.asItIs === true) {
    await connected(databaseUrl, refuseUnlessCurrent);
    return [];
  }
  if (migrateUrl !== undefined) await connected(migrateUrl, (owner) => migrateAsOwner(owner, databaseUrl));
  return connected(databaseUrl, async (app) => {
    if (migrateUrl === undefined && !(await isCurrent(app))) await migrateAsApplication(app);
    await refuseUnlessMigrated(app);
    return (await ownsLog(app))
      ? [
          "The application's database role owns the log's tables and could lift their protection: give the owner in MIGRATE_DATABASE_URL and another role in DATABASE_URL.",
        ]
      : [];
  });
}

/** A role that is not the owner's may find a schema that is not migrated yet, and not migrate it. */
async function migrateAsApplication(app: MigrationSession): Promise<void> {
  try {
    await whileMigrating(app, () => applyMigrations(app));
  } catch (cause) {
    if (stateOf(cause) !== "42501") throw cause;
    const message =
      "The database's schema is not that of this version, and the role of DATABASE_URL may not change it: run `vouchsafe migrate` with the owner in MIGRATE_DATABASE_URL";
    throw new VouchsafeError("configuration-invalid", message, { cause });
  }
}

async function migrateAsOwner(owner: MigrationSession, databaseUrl: string): Promise<void> {
  const { user, password } = new pg.Client(databaseUrl);
  if (user === undefined) throw new VouchsafeError("configuration-invalid", "DATABASE_URL names no user");
  // Privileges are rows too: granting at once from several nodes would fail like any concurrent update.
  await whileMigrating(owner, async () => {
    await applyMigrations(owner);
    await grantTo(owner, user, password ?? undefined);
  });
}

async function grantTo(owner: MigrationSession, user: string, password: string | undefined): Promise<void> {
  const [self] = await owner.query<{ name: string; known: boolean }>(
    "select current_user as name, exists (select from pg_roles where rolname = $1) as known",
    [user],
  );
  if (self?.name === user) return;
  if (self?.known !== true) await owner.exec(ensureRole(user, password));
  await owner.exec(grant(user));
}

async function refuseUnlessMigrated(session: MigrationSession): Promise<void> {
  if (await isCurrent(session)) return;
  throw new VouchsafeError(
    "configuration-invalid",
    "The schema of DATABASE_URL is not that of MIGRATE_DATABASE_URL",
  );
}

async function ownsLog(session: MigrationSession): Promise<boolean> {
  const [row] = await session.query<{ owns: boolean }>(
    "select pg_has_role(relowner, 'usage') as owns from pg_class where oid = 'log_entries'::regclass",
  );
  return row?.owns === true;
}

async function connected<T>(url: string, run: (session: MigrationSession) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (cause) {
    throw notConnected(cause);
  }
  try {
    return await run({
      exec: async (sql) => void (await client.query(sql)),
      query: async <Row>(text: string, values?: readonly unknown[]) =>
        (await client.query(text, values && [...values])).rows as Row[],
    });
  } finally {
    await client.end();
  }
}

/** Says what Postgres or the network said: no password stands in it. Only those who start a node or migrate hear it. */
function notConnected(cause: unknown): VouchsafeError {
  const why = cause instanceof Error ? cause.message || stateOf(cause) : String(cause);
  // Class 28: the role or its password. 3D000: no such database. Trying again later would not help.
  return /^(28|3D)/.test(stateOf(cause))
    ? new VouchsafeError("configuration-invalid", `The database refuses the connection: ${why}`, { cause })
    : new VouchsafeError("unavailable", `The database cannot be reached: ${why}`, { cause });
}

/** The SQLSTATE or the system's code; empty where there is none. */
function stateOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
