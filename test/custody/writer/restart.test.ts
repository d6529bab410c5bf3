import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { AppendedEvent } from "../../../src/custody/writer.ts";
import { type Database, openDatabase } from "../../../src/db/connection.ts";
import { readEvents, readHead } from "../../../src/db/log.ts";
import { createProject } from "../../../src/db/projects.ts";
import { VouchsafeError } from "../../../src/errors.ts";
import { fsck } from "../../../src/services/log/fsck.ts";
import { type CrashingPostgres, startCrashingPostgres } from "../../support/crashing-postgres.ts";
import { openLogNode, testSigner } from "../../support/log-node.ts";
import { IS_LONG } from "../../support/long.ts";
import { digestOf, PROJECT, pushProposal } from "../../support/pushes.ts";

/** `VOUCHSAFE_LONG=1` runs more. */
const RESTARTS = IS_LONG ? 60 : 2;
const CLIENTS = 8;

describe("a Postgres that breaks down and comes back while clients push", () => {
  const signer = testSigner();
  let directory: string;
  let postgres: CrashingPostgres;
  let database: Database;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-restart-"));
    postgres = await startCrashingPostgres();
    database = await openDatabase({ databaseUrl: postgres.url, dataDir: directory });
    await createProject(database.kysely, { id: PROJECT, name: "default", createdAt: 0 });
  });
  after(async () => {
    await database.close();
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it("has all that was acknowledged, once, and one checkpoint of each size", async () => {
    const node = await openLogNode({ database, dataDir: directory, signer });
    const acknowledged: AppendedEvent[] = [];
    let pushing = true;
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      for (let i = 0; pushing; i += 1) {
        const size = (await readHead(database.kysely).catch(() => undefined))?.size;
        if (size === undefined) {
          await sleep(20);
          continue;
        }
        try {
          const appended = await node.writer.append(pushProposal(digestOf(`push ${client} ${i}`), size));
          if (appended.outcome === "committed") acknowledged.push(...appended.events);
        } catch (error) {
          assert.ok(error instanceof VouchsafeError && error.code === "unavailable", String(error));
        }
      }
    });
    for (let round = 0; round < RESTARTS; round += 1) {
      const before = acknowledged.length;
      while (acknowledged.length < before + 100) await sleep(10);
      await postgres.crash("SIGQUIT");
      await postgres.start();
    }
    pushing = false;
    await Promise.all(clients);
    await node.close();

    assert.deepEqual((await fsck(database, { logKeys: signer.verifierKey })).findings, []);
    const indexes = acknowledged.map(({ index }) => index);
    assert.equal(new Set(indexes).size, indexes.length);
    assert.equal((await readEvents(database.kysely, PROJECT, indexes)).length, indexes.length);
    const checkpoints = Map.groupBy(acknowledged, ({ receipt }) => receipt.treeSize);
    for (const [size, events] of checkpoints)
      assert.equal(new Set(events.map(({ receipt }) => receipt.checkpoint)).size, 1, `of ${size} entries`);
  });
});
