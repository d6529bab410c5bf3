import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logSigners } from "../src/custody/log-signers.ts";
import { commitGroup, type GroupCommitContext } from "../src/custody/writer/group-commit.ts";
import { prepareProposal } from "../src/custody/writer/sequence.ts";
import { openDatabase } from "../src/db/connection.ts";
import { readHead } from "../src/db/log.ts";
import { createLogStore } from "../src/db/log-store.ts";
import { openLogNode, testSigner } from "../test/support/log-node.ts";
import { createPostgres, stopPostgres } from "../test/support/postgres.ts";
import { digestOf, pushProposal } from "../test/support/pushes.ts";
import { type BenchResult, compare, fromClients } from "./measure.ts";

const CLIENTS = 64;
const ROUNDS = { rounds: 5, duration: 1_500 };

/**
 * Durable pushes with receipts from 64 clients, their signatures verified beforehand: evidence of 7.5 KB, the
 * event that accepts it, and a verdict. Through the writer, against the same rows as a transaction for each
 * push, on 64 connections, with the same head lock, statement and signed checkpoint.
 */
export async function ingest(): Promise<BenchResult> {
  const dataDir = await mkdtemp(join(tmpdir(), "vouchsafe-bench-"));
  const postgres = await createPostgres();
  const database = await openDatabase({ ...postgres, dataDir, poolSize: CLIENTS });
  const signer = testSigner();
  const node = await openLogNode({ database, dataDir, signer });
  const store = createLogStore(database);
  try {
    const context: GroupCommitContext = {
      store,
      signers: logSigners(signer.name, [signer]),
      clock: Date.now,
    };
    const push = () => pushProposal(digestOf(randomBytes(32)), 1);

    const [grouped = 0, single = 0] = await compare(
      [
        {
          name: "group commit",
          run: (count) =>
            fromClients(CLIENTS, count, async () => {
              const appended = await node.writer.append(push());
              if (appended.outcome !== "committed") throw new Error("a push was stale");
            }),
        },
        {
          name: "one transaction each",
          run: (count) =>
            fromClients(CLIENTS, count, async () => {
              const { answers } = await commitGroup(
                context,
                [prepareProposal(push(), randomBytes)],
                async () => {},
              );
              if (answers[0]?.outcome !== "committed") throw new Error("a push was stale");
            }),
        },
      ],
      ROUNDS,
    );
    const { size } = await readHead(database.kysely);
    return {
      bench: "ingest",
      rows: [
        { name: "group commit", median: grouped, unit: "pushes/s" },
        { name: "one transaction each", median: single, unit: "pushes/s" },
        { name: "log size at the end", median: size, unit: "events" },
      ],
      ratios: { "vs-one-transaction-each": grouped / single },
    };
  } finally {
    await node.close();
    await database.close();
    await postgres.drop();
    await stopPostgres();
    await rm(dataDir, { recursive: true, force: true });
  }
}
