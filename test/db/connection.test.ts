import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { before, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { CompiledQuery } from "kysely";
import pg from "pg";
import { type Database, openDatabase } from "../../src/db/connection.ts";
import { createProject, projectByName } from "../../src/db/projects.ts";
import { findTokenByHash, insertToken, listTokens, revokeToken } from "../../src/db/tokens.ts";
import { forEachDatabase, type TestDatabase } from "../support/databases.ts";
import { digestOf, PROJECT } from "../support/pushes.ts";

forEachDatabase("a connection", (create) => {
  let test: TestDatabase;
  let database: Database;
  before(async () => {
    test = await create();
    database = await test.open();
  });

  async function select(expression: string): Promise<unknown> {
    const { rows } = await database.kysely.executeQuery<{ v: unknown }>(
      CompiledQuery.raw(`select ${expression} as v`),
    );
    return rows[0]?.v;
  }

  it("reads int8 as a number, bytea as bytes and jsonb as values, however it is connected", async () => {
    assert.equal(await select("9007199254740991::int8"), Number.MAX_SAFE_INTEGER);
    await assert.rejects(select("9007199254740992::int8"), RangeError);
    assert.deepEqual(await select("'\\x00ff'::bytea"), Uint8Array.of(0, 255));
    assert.deepEqual(await select(`'{"a": [1, null]}'::jsonb`), { a: [1, null] });
    assert.deepEqual(await select("array['a', 'b']"), ["a", "b"]);
  });

  it("rolls a transaction back when it throws, and keeps others' statements out of it", async () => {
    const inside = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const failing = database.transaction(async (query) => {
      await query("insert into projects values ($1, 'rolled back', 0)", [PROJECT]);
      inside.resolve();
      await go.promise;
      throw new Error("on purpose");
    });
    await inside.promise;
    const id = "11111111-1111-4111-8111-111111111111";
    const beside = createProject(database.kysely, { id, name: "beside", createdAt: 1 });
    // Time enough to slip into the open transaction, if anything let it.
    await sleep(50);
    go.resolve();
    await assert.rejects(failing, /on purpose/);
    assert.equal((await beside).id, id);
    assert.equal(await projectByName(database.kysely, "rolled back"), undefined);
    assert.equal((await projectByName(database.kysely, "beside"))?.id, id);
  });

  it("reads in a transaction what the one that it waited for committed, whatever the server's default is", async () => {
    if (test.postgres === undefined) return;
    const { databaseUrl } = test.postgres;
    const url = new URL(databaseUrl);
    url.searchParams.set("options", "-c default_transaction_isolation=serializable");
    const strict = await openDatabase({ dataDir: test.dataDir, databaseUrl: url.href });
    try {
      const levels = await strict.transaction((query) =>
        query<{ level: string }>("select current_setting('transaction_isolation') as level"),
      );
      assert.deepEqual(levels, [{ level: "read committed" }]);
    } finally {
      await strict.close();
    }
  });

  it("runs transactions that start at once, each whole", async () => {
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        database.transaction(async (query) => {
          const [before] = await query<{ v: number }>("select $1::int8 as v", [i]);
          const [after] = await query<{ v: number }>("select $1::int8 as v", [(before?.v ?? 0) + 1]);
          return after?.v;
        }),
      ),
    );
    assert.deepEqual(results, [1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("creates one project however many ask for its name", async () => {
    const ids = ["a", "b", "c"].map((letter) => `22222222-2222-4222-8222-22222222222${letter}`);
    const projects = await Promise.all(
      ids.map((id) => createProject(database.kysely, { id, name: "raced", createdAt: 1 })),
    );
    assert.equal(new Set(projects.map(({ id }) => id)).size, 1);
  });

  it("keeps tokens by the hash of their secret, and revokes them once", async () => {
    const project = await createProject(database.kysely, { id: PROJECT, name: "tokens", createdAt: 1 });
    const hash = Uint8Array.from(Buffer.from(digestOf("secret").slice(7), "hex"));
    const token = {
      project: project.id,
      id: "tok_1",
      hash,
      name: "ci",
      roles: ["uploader", "auditor"],
      policies: ["release", 'a "quoted", name'],
      mayChoosePolicy: false,
      createdAt: 5,
      expiresAt: 10,
    };
    await insertToken(database.kysely, token);
    assert.deepEqual(await findTokenByHash(database.kysely, hash), token);
    assert.equal(await findTokenByHash(database.kysely, new Uint8Array(32)), undefined);
    assert.equal(await revokeToken(database.kysely, project.id, "tok_1", 7), true);
    assert.equal(await revokeToken(database.kysely, project.id, "tok_1", 8), false);
    assert.deepEqual(await listTokens(database.kysely, project.id), [{ ...token, revokedAt: 7 }]);
  });

  it("hears notifications, and hears of a connection that was lost", async (context) => {
    const heard: string[] = [];
    const waiting: (() => void)[] = [];
    const next = () => new Promise<void>((resolve) => waiting.push(resolve));
    const stop = await database.listen("news", (payload) => {
      heard.push(payload);
      waiting.shift()?.();
    });
    let arrived = next();
    await select("pg_notify('news', 'one')");
    await arrived;
    assert.deepEqual(heard, ["one"]);
    if (test.postgres !== undefined) {
      arrived = next();
      const admin = new pg.Client(test.postgres.adminUrl);
      await admin.connect();
      await admin.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%' and datname = current_database()",
      );
      await admin.end();
      await arrived;
      arrived = next();
      await select("pg_notify('news', 'two')");
      await arrived;
      assert.deepEqual(heard, ["one", "", "two"]);
    } else context.diagnostic("the embedded database has no connection to lose");
    await stop();
  });

  it("commits durably however weak the role's own setting is", async (context) => {
    if (test.postgres === undefined) return context.skip("the embedded database is never durable");
    const [{ role, name }] = (await database.transaction((query) =>
      query("select current_user as role, current_database() as name"),
    )) as [{ role: string; name: string }];
    const admin = new pg.Client(test.postgres.adminUrl);
    await admin.connect();
    await admin.query(`alter role ${role} in database ${name} set synchronous_commit = off`);
    await admin.end();
    const another = await test.open();
    const [setting] = await another.transaction((query) =>
      query("select current_setting('synchronous_commit') as v"),
    );
    assert.deepEqual(setting, { v: "on" });
    assert.equal(another.durable, true);
  });

  it("has its data directory for itself, in its owner's eyes only", async (context) => {
    if (test.kind !== "pglite") return context.skip("only the embedded database has a directory");
    assert.equal((await stat(test.dataDir)).mode & 0o777, 0o700);
    const second = promisify(execFile)(process.execPath, [
      "--input-type=module-typescript",
      "--eval",
      `import { lockDirectory } from ${JSON.stringify(new URL("../../src/directory-lock.ts", import.meta.url).href)};
       try { await lockDirectory(${JSON.stringify(test.dataDir)}); } catch (error) { process.exit(error.code === "configuration-invalid" ? 7 : 8); }`,
    ]);
    await assert.rejects(second, { code: 7 });
  });
});
