import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import type { ProjectId } from "../../src/custody/events.ts";
import { openPostgres } from "../../src/db/connection/postgres.ts";
import { readRelated } from "../../src/db/custody-chain.ts";
import { readDecisionInputs } from "../../src/db/decision-inputs.ts";
import { applyMigrations, whileMigrating } from "../../src/db/migrate.ts";
import { MIGRATIONS } from "../../src/db/migrations/index.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import { createBarePostgres, stopPostgres, type TestPostgres } from "../support/postgres.ts";

const LOG_TABLES = [
  "log_entries",
  "log_chain",
  "log_tiles",
  "evidence",
  "documents",
  "attestations",
  "rejections",
];
const INSUFFICIENT_PRIVILEGE = "42501";

describe("migration", () => {
  let postgres: TestPostgres;
  before(async () => {
    postgres = await createBarePostgres();
  });
  after(() => postgres.drop());
  after(stopPostgres);

  it("is done once when ten installers race, each of which finds the schema ready", async () => {
    const databases = await Promise.all(
      Array.from({ length: 10 }, () => openPostgres({ ...postgres, poolSize: 1 })),
    );
    for (const database of databases) {
      assert.deepEqual(database.warnings, []);
      assert.equal((await database.kysely.selectFrom("log_head").select("size").execute()).length, 1);
    }
    await Promise.all(databases.map((database) => database.close()));
    const rows = await as(postgres.migrateUrl, "select name from schema_migrations order by name");
    assert.deepEqual(rows.map(({ name }) => name).slice(0, 2), ["0001-custody-log", "0002-evidence"]);
  });

  it("leaves the application's role no way to change or remove what is logged", async () => {
    for (const table of [...LOG_TABLES, "log_head"]) {
      await refused(postgres.databaseUrl, `delete from ${table}`);
      await refused(postgres.databaseUrl, `truncate ${table}`);
      await refused(postgres.databaseUrl, `alter table ${table} disable trigger all`);
      await refused(postgres.databaseUrl, `drop table ${table}`);
    }
    for (const table of LOG_TABLES) {
      const column = table === "log_tiles" ? "tile" : "project_id";
      await refused(postgres.databaseUrl, `update ${table} set ${column} = ${column}`);
    }
    for (const state of ["verdicts", "quarantines", "tokens"])
      await refused(postgres.databaseUrl, `delete from ${state}`);
    await refused(postgres.databaseUrl, "create table mine (id int)");
    await refused(postgres.databaseUrl, "update schema_migrations set sha256 = ''");
  });

  it("stops even the owner in passing", async () => {
    for (const table of LOG_TABLES) {
      await refused(postgres.migrateUrl, `delete from ${table}`);
      await refused(postgres.migrateUrl, `truncate ${table}`);
    }
    await refused(postgres.migrateUrl, "delete from log_head");
    await refused(postgres.migrateUrl, "update log_head set root = sha256('another')");
    await refused(postgres.databaseUrl, "update log_head set root = sha256('another')");
  });

  it("takes away what was granted by hand", async () => {
    const [{ name }] = (await as(postgres.databaseUrl, "select current_user as name")) as [{ name: string }];
    await as(postgres.migrateUrl, `grant delete on log_entries to ${name}`);
    await (await openPostgres(postgres)).close();
    const sql = "select has_table_privilege('log_entries', 'delete') as granted";
    assert.deepEqual(await as(postgres.databaseUrl, sql), [{ granted: false }]);
  });

  it("needs no owner where the schema is up to date", async () => {
    const { databaseUrl } = postgres;
    const database = await openPostgres({ databaseUrl });
    assert.deepEqual(database.warnings, []);
    await database.close();
  });

  it("refuses a database whose migrations read differently, and one that is newer", async () => {
    await as(postgres.migrateUrl, "insert into schema_migrations values ('9999-later', '')");
    await assert.rejects(openPostgres(postgres), { code: "configuration-invalid" });
    await as(postgres.migrateUrl, "delete from schema_migrations where name = '9999-later'");
    await as(
      postgres.migrateUrl,
      "update schema_migrations set sha256 = 'edited' where name = '0002-evidence'",
    );
    await assert.rejects(openPostgres(postgres), { code: "configuration-invalid" });
  });

  it("keeps what was decided before: a verdict holds until something newer comes", async () => {
    const old = await createBarePostgres();
    const owner = new pg.Client(old.migrateUrl);
    await owner.connect();
    const session = {
      exec: async (sql: string) => void (await owner.query(sql)),
      query: async <Row>(text: string, values: readonly unknown[] = []) =>
        (await owner.query(text, [...values])).rows as Row[],
    };
    const before = MIGRATIONS.filter(({ name }) => name < "0007");
    await whileMigrating(session, () => applyMigrations(session, before));
    const artifact = sha256("released before");
    const [project, hash] = ["0b51c2d4-7e6f-4a89-9c0d-1e2f3a4b5c6d" as ProjectId, sha256("")];
    await owner.query(`
      update log_head set size = 7;
      insert into attestations (project_id, id, index, media_type, signer, signer_identity, verified_at)
        values ('${project}', '${hash}', 5, 'x', '{}', 'x', 0);
      insert into attestation_subjects (project_id, digest, attestation) values ('${project}', '${artifact}', '${hash}');
      insert into verdicts values ('${project}', '${artifact}', 'release', '${hash}', '${hash}', '${hash}', 'passed', 3,
        '["${hash}"]', '[]', null, 6)`);
    // With what an attacker wrote: Postgres's JSON has no NUL.
    const judged = { artifacts: [{ digest: artifact }], restsOn: [hash], checks: [{ actual: "\0 \\u0000" }] };
    for (const index of [3, 4]) {
      await owner.query("insert into log_entries values ($1, $2, 6, 0, '', $3, $3, $4)", [
        index,
        project,
        Buffer.alloc(32),
        Buffer.from(JSON.stringify(judged)),
      ]);
    }
    await owner.end();

    const database = await openPostgres(old);
    assert.deepEqual(await readRelated(database.kysely, project, artifact, 4), [hash]);
    assert.deepEqual(await readRelated(database.kysely, project, artifact, 3), []);
    const { verdicts, approvals, exceptions } = await readDecisionInputs(database.kysely, project, artifact);
    const [verdict] = verdicts;
    assert.deepEqual(
      [verdict?.outcome, verdict?.restsOn, verdict?.approvals, verdict?.isOvertaken, approvals, exceptions],
      ["passed", [], undefined, false, [], []],
    );
    await database.close();
    await old.drop();
  });

  it("works with one role alone, and warns that it owns the log", async () => {
    const alone = await createBarePostgres();
    const database = await openPostgres({ databaseUrl: alone.migrateUrl });
    assert.equal(database.warnings.length, 1);
    await database.close();
    await alone.drop();
  });

  it("tells a start without the owner, on a database that is not migrated yet, to migrate it", async () => {
    const bare = await createBarePostgres();
    const { pathname } = new URL(bare.migrateUrl);
    const elsewhere = Object.assign(new URL(postgres.databaseUrl), { pathname }).href;
    const told = { code: "configuration-invalid", message: /`vouchsafe migrate`.*MIGRATE_DATABASE_URL/ };
    await assert.rejects(openPostgres({ databaseUrl: elsewhere }), told);
    await bare.drop();
  });

  it("says why it does not get in: a wrong password or name is no database that is away", async () => {
    const wrong = Object.assign(new URL(postgres.databaseUrl), { password: "wrong" }).href;
    const refusals = [
      [wrong, { code: "configuration-invalid", message: /password authentication failed/ }],
      [`${postgres.databaseUrl}_none`, { code: "configuration-invalid", message: /does not exist/ }],
      ["postgres://nobody:nothing@127.0.0.1:1/nowhere", { code: "unavailable", message: /ECONNREFUSED/ }],
    ] as const;
    for (const [databaseUrl, told] of refusals) {
      await assert.rejects(openPostgres({ databaseUrl }), told);
    }
  });
});

async function refused(url: string, sql: string): Promise<void> {
  await assert.rejects(as(url, sql), { code: INSUFFICIENT_PRIVILEGE }, sql);
}

async function as(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
