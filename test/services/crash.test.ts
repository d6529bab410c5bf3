import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createClient } from "../../src/client/client.ts";
import { verifyReceipt } from "../../src/custody/receipt.ts";
import { openDatabase } from "../../src/db/connection.ts";
import { readHead, readLeaves, tileReader } from "../../src/db/log.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";
import { fsck } from "../../src/services/log/fsck.ts";
import { openCheckpoint } from "../../src/tlog/checkpoint.ts";
import { parseVerifierKey } from "../../src/tlog/note.ts";
import { proveConsistency, verifyConsistency } from "../../src/tlog/proofs.ts";
import { type RunningServer, startServer } from "../cli/server.ts";
import { UNLESS_LONG } from "../support/long.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../support/postgres.ts";
import { envelopeKey, signedEnvelope } from "./signed-envelope.ts";

const CLIENTS = 8;
/** Crashes in a row. */
const ROUNDS = 20;
/** Acknowledged pushes before each crash. */
const PUSHES = 150;

describe("a server that is killed while clients push", { skip: UNLESS_LONG }, () => {
  let postgres: TestPostgres;
  let directory: string;
  const key = envelopeKey();

  before(async () => {
    postgres = await createPostgres();
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-crash-"));
    await mkdir(join(directory, "policies"));
    await writeFile(join(directory, "builder.pem"), key.pem);
  });
  after(async () => {
    await postgres.drop();
    await stopPostgres();
    await rm(directory, { recursive: true, force: true });
  });

  function start(): Promise<RunningServer> {
    return startServer({
      DATABASE_URL: postgres.databaseUrl,
      MIGRATE_DATABASE_URL: postgres.migrateUrl,
      VOUCHSAFE_DATA_DIR: join(directory, "data"),
      VOUCHSAFE_POLICIES: join(directory, "policies"),
      VOUCHSAFE_KEYS: join(directory, "builder.pem"),
    });
  }

  test("keeps every push that it acknowledged, and its log verifies", async () => {
    const acknowledged: { digest: Digest; receipt: Parameters<typeof verifyReceipt>[1] }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const server = await start();
      const token = (await readFile(join(directory, "data", "operator-token"), "utf8")).trim();
      const client = createClient({ server: server.url, token });
      const enough = Promise.withResolvers<void>();
      let alive = true;
      const clients = Array.from({ length: CLIENTS }, async () => {
        while (alive) {
          const { digest, bytes } = signedEnvelope(key.privateKey);
          const pushed = await client.pushAttestation(bytes).catch(() => undefined);
          if (pushed) acknowledged.push({ digest, receipt: pushed.receipt });
          if (acknowledged.length >= (round + 1) * PUSHES) enough.resolve();
        }
      });
      await enough.promise;
      await server.kill();
      alive = false;
      await Promise.all(clients);
    }

    const server = await start();
    const verifierKey = await createClient({ server: server.url, token: "" }).logKey();
    await server.stop();
    const database = await openDatabase({ databaseUrl: postgres.databaseUrl, dataDir: directory });
    try {
      assert.deepEqual((await fsck(database, { logKeys: verifierKey })).findings, []);
      const head = await readHead(database.kysely);
      const leaves = await readLeaves(database.kysely, 0, head.size);

      const verifier = parseVerifierKey(verifierKey);
      assert.equal(new Set(acknowledged.map(({ receipt }) => receipt.index)).size, acknowledged.length);
      const checkpoints = new Map<number, string>();
      for (const { receipt } of acknowledged) {
        assert.equal(checkpoints.get(receipt.treeSize) ?? receipt.checkpoint, receipt.checkpoint);
        checkpoints.set(receipt.treeSize, receipt.checkpoint);
        const leaf = leaves[receipt.index];
        assert.ok(leaf, `entry ${receipt.index} was acknowledged and is gone`);
        verifyReceipt(leaf, receipt, verifierKey);
        const older = openCheckpoint(receipt.checkpoint, verifier.name, [verifier]);
        verifyConsistency(
          older,
          head,
          await proveConsistency(tileReader(database.kysely), older.size, head.size),
        );
      }
    } finally {
      await database.close();
    }
  });
});
