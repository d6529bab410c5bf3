import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { PGlite, types } from "@electric-sql/pglite";
import { CompiledQuery, Kysely, PGliteDialect } from "kysely";
import { CommitUnknown } from "../../custody/log-store.ts";
import { lockDirectory } from "../../directory-lock.ts";
import { VouchsafeError } from "../../errors.ts";
import type { Database, DatabaseOptions } from "../connection.ts";
import { ensureRole, grant } from "../grants.ts";
import { applyMigrations, type MigrationSession, refuseUnlessCurrent, whileMigrating } from "../migrate.ts";
import type { Schema } from "../schema.ts";
import { integerOf } from "./column-values.ts";

const APP_ROLE = "vouchsafe_app";

/**
 * The embedded database under `dataDir`, for evaluation: it never fsyncs and is one session. The schema belongs
 * to its superuser and the session then becomes the application's role, so that the same grants hold as on
 * Postgres.
 *
 * Throws `configuration-invalid` when another process has the directory, and `asItIs` where there is no database or
 * that of another version.
 */
export async function openPGlite({ dataDir, asItIs = false }: DatabaseOptions): Promise<Database> {
  const directory = join(dataDir, "pglite");
  if (asItIs && !existsSync(directory))
    throw new VouchsafeError(
      "configuration-invalid",
      `There is no database in ${dataDir}: name one with DATABASE_URL, or its directory with VOUCHSAFE_DATA_DIR`,
    );
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const unlock = await lockDirectory(dataDir);
  try {
    const pglite = await PGlite.create(directory, { parsers: { [types.INT8]: integerOf } });
    const session: MigrationSession = {
      exec: async (sql) => void (await pglite.exec(sql)),
      query: async <Row>(text: string, values?: readonly unknown[]) =>
        (await pglite.query<Row>(text, values && [...values])).rows,
    };
    if (asItIs) await refuseUnlessCurrent(session);
    else {
      await whileMigrating(session, () => applyMigrations(session));
      await pglite.exec(ensureRole(APP_ROLE));
      await pglite.exec(grant(APP_ROLE));
    }
    await pglite.exec(`set role ${APP_ROLE}`);
    return databaseOf(pglite, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

function databaseOf(pglite: PGlite, unlock: () => void): Database {
  // One session for all: Kysely lends it to one caller at a time, so nobody's statement slips into another's
  // transaction.
  const kysely = new Kysely<Schema>({ dialect: new PGliteDialect({ pglite }) });
  return {
    kysely,
    kind: "pglite",
    durable: false,
    warnings: ["The embedded database is for evaluation: it never fsyncs, so receipts are not durable."],
    async transaction(run) {
      let ran = false;
      try {
        return await kysely.transaction().execute(async (tx) => {
          const result = await run(async (text, values = []) => {
            const { rows } = await tx.executeQuery(CompiledQuery.raw(text, [...values]));
            return rows as never;
          });
          ran = true;
          return result;
        });
      } catch (error) {
        if (ran) throw new CommitUnknown("The embedded database failed to commit", { cause: error });
        throw error;
      }
    },
    async listen(channel, listener) {
      const stop = await pglite.listen(channel, listener);
      return () => stop();
    },
    // Its one session waits in this process.
    pool: { total: 1, idle: 0, waiting: 0 },
    async close() {
      await kysely.destroy();
      if (!pglite.closed) await pglite.close();
      unlock();
    },
  };
}
