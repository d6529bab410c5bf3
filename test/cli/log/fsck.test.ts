import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { type Database, openDatabase } from "../../../src/db/connection.ts";
import { readHead } from "../../../src/db/log.ts";
import { createProject } from "../../../src/db/projects.ts";
import { openLogNode, testSigner } from "../../support/log-node.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { digestOf, PROJECT, pushProposal } from "../../support/pushes.ts";
import { assertEnded, vouchsafe } from "../vouchsafe.ts";

describe("vouchsafe log fsck", () => {
  const signer = testSigner();
  let postgres: TestPostgres;
  let dataDir: string;
  let database: Database;
  let admin: pg.Client;
  let node: Awaited<ReturnType<typeof openLogNode>>;

  before(async () => {
    postgres = await createPostgres();
    dataDir = await mkdtemp(join(tmpdir(), "vouchsafe-fsck-"));
    database = await openDatabase({ ...postgres, dataDir });
    node = await openLogNode({ database, dataDir, signer });
    await createProject(database.kysely, { id: PROJECT, name: "default", createdAt: 0 });
    admin = new pg.Client(postgres.adminUrl);
    await admin.connect();
    // As a superuser may: no trigger stops him then.
    await admin.query("set session_replication_role = replica");
    await push(300);
  });
  after(async () => {
    await admin.end();
    await node.close();
    await database.close();
    await postgres.drop();
    await stopPostgres();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function push(count: number): Promise<void> {
    const { size } = await readHead(database.kysely);
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        node.writer.append(pushProposal(digestOf(`artifact ${size} ${i}`), size)),
      ),
    );
  }

  const fsck = (...args: string[]) =>
    vouchsafe(["log", "fsck", ...args], { cwd: dataDir, env: { DATABASE_URL: postgres.databaseUrl } });

  it("finds a log of several tiles right, by the key that it is given", async () => {
    assertEnded(await fsck("--log-key", signer.verifierKey), 0, "stdout", /^right: 601 entries/);
    assertEnded(await fsck(), 0, "stderr", /the key was the database's own word: vouchsafe\.test/);
  });

  it("finds nothing wrong with a log that has not begun", async () => {
    const fresh = await createPostgres();
    await (await openDatabase({ ...fresh, dataDir })).close();
    const env = { DATABASE_URL: fresh.databaseUrl };
    assertEnded(await vouchsafe(["log", "fsck"], { cwd: dataDir, env }), 0, "stdout", /^right: 0 entries/);
    await fresh.drop();
  });

  it("says which row is wrong and what was expected", async () => {
    await admin.query("update attestations set builder = 'https://evil.example' where index = 1");
    const ended = await fsck("--log-key", signer.verifierKey);
    assertEnded(
      ended,
      1,
      "stdout",
      /^wrong attestations, .*builder is https:\/\/evil\.example, and the log gives/m,
    );
    const told = JSON.parse((await fsck("--json")).stdout);
    assert.deepEqual([told.holds, told.count, told.findings[0].table], [false, 1, "attestations"]);
    await admin.query(
      "update attestations set builder = (select builder from attestations where index = 3) where index = 1",
    );
  });

  it("refuses a log that another key signed", async () => {
    const ended = await fsck("--log-key", testSigner().verifierKey);
    assertEnded(ended, 1, "stdout", /^wrong log_head, .*not one that the log signed/m);
  });

  it("takes up where an earlier run ended, and notices a log that is another since", async () => {
    const state = join(dataDir, "fsck.json");
    const args = ["--log-key", signer.verifierKey, "--state", state];
    assertEnded(await fsck(...args), 0, "stdout", /^right/);
    assert.equal(JSON.parse(await readFile(state, "utf8")).size, 601);

    await push(100);
    await admin.query("update evidence set bytes = 'changed' where index = 1");
    assertEnded(
      await fsck(...args),
      0,
      "stderr",
      /evidence of the first 601 entries was read by an earlier run/,
    );
    assertEnded(await fsck(), 1, "stdout", /^wrong evidence, .*bytes hash to sha256:/m);

    const sound = await readFile(state, "utf8");
    assert.equal(JSON.parse(sound).size, 801);
    for (const [size, root, words] of [
      [801, Buffer.alloc(32, 7), /another root than when they were last checked: history was rewritten/],
      [802, Buffer.alloc(32, 7), /had 802 when it was last checked: it was rolled back/],
    ] as const) {
      const other = { format: "vouchsafe-fsck/v1", size, root: root.toString("base64") };
      await writeFile(state, JSON.stringify(other));
      assertEnded(await fsck(...args), 1, "stdout", words);
      assert.deepEqual(
        JSON.parse(await readFile(state, "utf8")),
        other,
        "what does not hold is not remembered",
      );
    }
    await writeFile(state, "{}");
    assertEnded(await fsck(...args), 2, "stderr", /is no state of/);
  });

  it("makes no database where there is none", async () => {
    const ended = await vouchsafe(["log", "fsck"], { cwd: dataDir });
    assertEnded(ended, 2, "stderr", /There is no database in \.vouchsafe: name one with DATABASE_URL/);
  });
});
