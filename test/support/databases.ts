import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Database, openDatabase } from "../../src/db/connection.ts";
import { copyEmptyDatabase } from "./empty-database.ts";
import { IS_LONG, UNLESS_LONG } from "./long.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "./postgres.ts";

/** A database for one suite, which is given back when the suite ends. */
export interface TestDatabase {
  readonly kind: Database["kind"];
  readonly dataDir: string;
  /** Absent on PGlite. */
  readonly postgres?: TestPostgres;
  /** Another node on the same database. On PGlite there can be only one: the same is given again. */
  open(options?: { readonly poolSize?: number }): Promise<Database>;
}

type Suite = (create: () => Promise<TestDatabase>) => void;

/** Runs a suite on the embedded database and on a real Postgres. */
export function forEachDatabase(name: string, suite: Suite): void {
  runOn("pglite", name, suite);
  runOn("postgres", name, suite);
  after(stopPostgres);
}

/**
 * Runs a suite on a real Postgres, and where it is asked for on the embedded database too: that one costs seconds, and a
 * suite that has no SQL of its own hardly finds anything there.
 */
export function forPostgres(name: string, suite: Suite): void {
  if (IS_LONG) runOn("pglite", name, suite);
  else test(`${name} on pglite`, { skip: UNLESS_LONG });
  runOn("postgres", name, suite);
  after(stopPostgres);
}

function runOn(kind: Database["kind"], name: string, suite: Suite): void {
  describe(`${name} on ${kind}`, () => {
    const cleanUps: (() => Promise<void>)[] = [];
    suite(() => createDatabase(kind, cleanUps));
    // After the suite's own, which may still need the database.
    after(async () => {
      for (const cleanUp of cleanUps.reverse()) await cleanUp();
    });
  });
}

async function createDatabase(
  kind: Database["kind"],
  cleanUps: (() => Promise<void>)[],
): Promise<TestDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), "vouchsafe-test-"));
  cleanUps.push(() => rm(dataDir, { recursive: true, force: true }));
  const postgres = kind === "postgres" ? await createPostgres() : undefined;
  if (postgres === undefined) await copyEmptyDatabase(dataDir);
  else cleanUps.push(() => postgres.drop());
  let single: Database | undefined;
  return {
    kind,
    dataDir,
    ...(postgres !== undefined && { postgres }),
    async open(options = {}) {
      if (single !== undefined) return single;
      const urls = postgres && { databaseUrl: postgres.databaseUrl, migrateUrl: postgres.migrateUrl };
      const database = await openDatabase({ dataDir, ...urls, ...options });
      if (kind === "pglite") single = database;
      cleanUps.push(() => database.close());
      return database;
    },
  };
}
