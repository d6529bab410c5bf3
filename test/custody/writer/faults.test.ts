import assert from "node:assert/strict";
import { before, it } from "node:test";
import pg from "pg";
import { CommitUnknown, type LockedLog, type LogStore } from "../../../src/custody/log-store.ts";
import { verifyReceipt } from "../../../src/custody/receipt.ts";
import { openAcknowledged } from "../../../src/custody/writer/acknowledged.ts";
import type { AppendedEvent, Writer } from "../../../src/custody/writer.ts";
import type { Database } from "../../../src/db/connection.ts";
import { readChain, readHead } from "../../../src/db/log.ts";
import { createLogStore } from "../../../src/db/log-store.ts";
import { createProject } from "../../../src/db/projects.ts";
import { VouchsafeError } from "../../../src/errors.ts";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";
import { fsck } from "../../../src/services/log/fsck.ts";
import { forEachDatabase, type TestDatabase } from "../../support/databases.ts";
import { openLogNode, testSigner } from "../../support/log-node.ts";
import { IS_LONG } from "../../support/long.ts";
import { digestOf, PROJECT, pushProposal } from "../../support/pushes.ts";

/** Where a transaction can break: before and after each of its statements. The last two are a commit whose answer never came. */
const FAULTS = [
  "before the lock",
  "after the lock",
  "after the chains were read",
  "before the tiles are read",
  "after the tiles were read",
  "before the write",
  "after the write",
  "commit lost",
  "answer lost",
] as const;
type Fault = (typeof FAULTS)[number];

/** `VOUCHSAFE_LONG=1` runs thousands of rounds. */
const ROUNDS = IS_LONG ? 2_000 : 100;
const CUTS = IS_LONG ? 1_000 : 20;

class Injected extends Error {}

/** The store, with the fault that `next` names for each transaction. */
function faulty(store: LogStore, next: () => Fault | undefined): LogStore {
  return {
    durable: store.durable,
    async locked(run) {
      const fault = next();
      const away = () => new VouchsafeError("unavailable", "injected");
      if (fault === "before the lock") throw away();
      const breaking = (log: LockedLog): LockedLog => ({
        ...log,
        async chainEnds(chains) {
          if (fault === "after the lock") throw away();
          const ends = await log.chainEnds(chains);
          if (fault === "after the chains were read") throw away();
          return ends;
        },
        async readTiles(tiles) {
          if (fault === "before the tiles are read") throw away();
          const read = await log.readTiles(tiles);
          if (fault === "after the tiles were read") throw away();
          return read;
        },
        async write(batch) {
          if (fault === "before the write") throw away();
          await log.write(batch);
          if (fault === "after the write") throw away();
        },
      });
      try {
        const result = await store.locked(async (log) => {
          const ran = await run(breaking(log));
          if (fault === "commit lost") throw new Injected();
          return ran;
        });
        if (fault === "answer lost") throw new CommitUnknown();
        return result;
      } catch (error) {
        throw error instanceof Injected ? new CommitUnknown() : error;
      }
    },
  };
}

forEachDatabase("a failing append", (create) => {
  const signer = testSigner();
  let test: TestDatabase;
  let database: Database;

  before(async () => {
    test = await create();
    database = await test.open();
    await createProject(database.kysely, { id: PROJECT, name: "default", createdAt: 0 });
  });

  for (const fault of FAULTS) {
    it(`leaves nothing half done when it fails: ${fault}`, async () => {
      const faults: Fault[] = [];
      const store = faulty(createLogStore(database), () => faults.shift());
      const node = await openLogNode({ database, dataDir: test.dataDir, name: fault, signer, store });
      const artifact = digestOf(fault);
      const { size } = await readHead(database.kysely);
      faults.push(fault);
      const [first] = await Promise.allSettled([node.writer.append(pushProposal(artifact, size))]);
      const stored = await readChain(database.kysely, PROJECT, artifact);

      if (fault === "commit lost" || fault === "answer lost") {
        assert.equal(first.status === "fulfilled" && first.value.outcome, "committed");
        assert.equal(stored.length, 2);
      } else {
        assert.equal(first.status === "rejected" && first.reason.code, "unavailable");
        assert.equal(stored.length, 0);
        assert.equal((await node.writer.append(pushProposal(artifact, size))).outcome, "committed");
      }
      await node.close();
    });
  }

  it("does not take a log for another when the database goes away while it looks", async () => {
    const faults: Fault[] = [];
    const store = faulty(createLogStore(database), () => faults.shift());
    const node = await openLogNode({ database, dataDir: test.dataDir, name: "looks", signer, store });
    const other = await openLogNode({ database, dataDir: test.dataDir, name: "grows it", signer });
    const push = (writer: Writer, name: string) => writer.append(pushProposal(digestOf(name), 0));
    await push(node.writer, "looks 1");
    await push(other.writer, "looks 2");
    faults.push("before the tiles are read");
    await assert.rejects(push(node.writer, "looks 3"), { code: "unavailable" });
    assert.equal((await push(node.writer, "looks 4")).outcome, "committed");
    await other.close();
    await node.close();
  });

  it("says that the outcome is unknown when it cannot be found out, and goes on from the truth", async () => {
    const faults: Fault[] = [];
    const store = faulty(createLogStore(database), () => faults.shift());
    const node = await openLogNode({
      database,
      dataDir: test.dataDir,
      name: "patience",
      signer,
      store,
      limits: { patience: 0 },
    });
    const { size } = await readHead(database.kysely);
    const artifact = digestOf("patience");
    faults.push("answer lost", "before the lock");
    await assert.rejects(node.writer.append(pushProposal(artifact, size)), { code: "unavailable" });
    assert.equal((await node.writer.append(pushProposal(artifact, size))).outcome, "stale");
    assert.equal((await node.writer.append(pushProposal(digestOf("after"), size))).outcome, "committed");
    await node.close();
  });

  it(`loses nothing acknowledged and stores nothing twice in ${ROUNDS} rounds of random faults`, async () => {
    let seed = 20_260_101;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return Math.floor((seed / 2 ** 31) * below);
    };
    let failing = false;
    const store = faulty(createLogStore(database), () =>
      failing ? FAULTS[random(2 * FAULTS.length)] : undefined,
    );
    const node = await openLogNode({ database, dataDir: test.dataDir, name: "random", signer, store });
    failing = true;
    const acknowledged: [Digest, readonly AppendedEvent[]][] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const artifacts = Array.from({ length: 1 + random(4) }, (_, i) => digestOf(`random ${round} ${i}`));
      await Promise.all(artifacts.map((artifact) => pushUntilKnown(node.writer, artifact, acknowledged)));
    }
    failing = false;
    await node.close();

    for (const [artifact, events] of acknowledged) {
      const stored = await readChain(database.kysely, PROJECT, artifact);
      assert.deepEqual(
        stored.map(({ index }) => index),
        events.map(({ index }) => index),
      );
      for (const [i, { receipt }] of events.entries()) {
        verifyReceipt(stored[i]?.leaf ?? new Uint8Array(), receipt, signer.verifierKey);
      }
    }
    await assertSound(acknowledged);
  });

  it("survives connections that the server cuts while clients push", async (context) => {
    const { postgres } = test;
    if (postgres === undefined) return context.skip("the embedded database has no connections to cut");
    const node = await openLogNode({ database, dataDir: test.dataDir, name: "cut", signer });
    const admin = new pg.Client(postgres.adminUrl);
    await admin.connect();
    const acknowledged: [Digest, readonly AppendedEvent[]][] = [];
    let pushing = true;
    const clients = Array.from({ length: 8 }, async (_, client) => {
      for (let i = 0; pushing; i += 1)
        await pushUntilKnown(node.writer, digestOf(`cut ${client} ${i}`), acknowledged);
    });
    for (let cut = 0; cut < CUTS; cut += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10 + (cut % 20)));
      await admin.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
      );
    }
    pushing = false;
    await Promise.all(clients);
    await admin.end();
    await node.close();
    assert.ok(acknowledged.length > 0);
    for (const [artifact, events] of acknowledged) {
      const stored = await readChain(database.kysely, PROJECT, artifact);
      assert.deepEqual(
        stored.map(({ index }) => index),
        events.map(({ index }) => index),
      );
    }
    await assertSound(acknowledged);
  });

  it("refuses to go on from a log that is smaller than, or differs from, what was acknowledged", async () => {
    const head = await readHead(database.kysely);
    for (const [name, tree] of [
      ["rolled back", { size: head.size + 1, root: head.root }],
      ["rewritten", { size: head.size, root: Buffer.alloc(32, 1) }],
      ["forked", { size: head.size - 1, root: Buffer.alloc(32, 1) }],
    ] as const) {
      const file = await openAcknowledged(`${test.dataDir}/${name}.acknowledged`, signer.name);
      await file.record(tree);
      await file.close();
      const node = await openLogNode({ database, dataDir: test.dataDir, name, signer });
      await assert.rejects(node.writer.append(pushProposal(digestOf(name), head.size)), {
        code: "log-inconsistent",
      });
      await node.close();
    }
    assert.equal((await readHead(database.kysely)).size, head.size);
  });

  /** Pushes until it was told that the artifact is in the log; only then are its receipts acknowledged. */
  async function pushUntilKnown(
    writer: Writer,
    artifact: Digest,
    acknowledged: [Digest, readonly AppendedEvent[]][],
  ): Promise<void> {
    const proposal = pushProposal(
      artifact,
      (await readHead(database.kysely).catch(() => ({ size: 1 }))).size,
      {
        evidence: Buffer.from(`evidence of ${artifact}`),
      },
    );
    for (;;) {
      try {
        const appended = await writer.append(proposal);
        if (appended.outcome === "committed") acknowledged.push([artifact, appended.events]);
        return;
      } catch (error) {
        if (!(error instanceof VouchsafeError && error.code === "unavailable")) throw error;
      }
    }
  }

  /** The whole database follows from the log, and no two checkpoints that went out are of one size and differ. */
  async function assertSound(acknowledged: readonly [Digest, readonly AppendedEvent[]][]): Promise<void> {
    assert.deepEqual((await fsck(database, { logKeys: signer.verifierKey })).findings, []);
    const checkpoints = new Map<number, string>();
    for (const { receipt } of acknowledged.flatMap(([, events]) => events)) {
      const known = checkpoints.get(receipt.treeSize) ?? receipt.checkpoint;
      assert.equal(receipt.checkpoint, known, `two checkpoints of ${receipt.treeSize} entries`);
      checkpoints.set(receipt.treeSize, known);
    }
  }
});
