import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { EVENT_TYPES } from "../src/custody/events.ts";
import { logSigners } from "../src/custody/log-signers.ts";
import type { LogEntry } from "../src/custody/log-store.ts";
import { commitGroup, type GroupCommitContext } from "../src/custody/writer/group-commit.ts";
import { type PreparedProposal, prepareProposal, sequence } from "../src/custody/writer/sequence.ts";
import type { Proposal } from "../src/custody/writer.ts";
import { openDatabase } from "../src/db/connection.ts";
import { readHead } from "../src/db/log.ts";
import { createLogStore } from "../src/db/log-store.ts";
import { openLogNode, testSigner } from "../test/support/log-node.ts";
import { createPostgres, stopPostgres } from "../test/support/postgres.ts";
import { digestOf, identityDenied, PROJECT } from "../test/support/pushes.ts";
import { type BenchResult, compare, fromClients } from "./measure.ts";

/** Appends under way at once: two full batches, so that one is gathered while the other is flushed. */
const CLIENTS = 1_024;
/** Transactions under way at once, each with a connection of its own. */
const CONNECTIONS = 64;
/** Rows of one INSERT: as many as the writer puts into one transaction. */
const ROWS = 512;
const ROUNDS = { rounds: 5, duration: 1_500 };

/**
 * Events that are durable, in the tree and under a signed checkpoint, by the writer: against the same statements as a
 * transaction for each event, and against what storing the same bytes costs in any case: the rows that an event leaves, in
 * tables with the same keys, one INSERT of many rows after the other.
 */
export async function append(): Promise<BenchResult> {
  const dataDir = await mkdtemp(join(tmpdir(), "vouchsafe-bench-"));
  const postgres = await createPostgres();
  const database = await openDatabase({ ...postgres, dataDir, poolSize: CONNECTIONS });
  const signer = testSigner();
  const node = await openLogNode({ database, dataDir, signer });
  const bare = await openBareTables(postgres.adminUrl);
  try {
    const context: GroupCommitContext = {
      store: createLogStore(database),
      signers: logSigners(signer.name, [signer]),
      clock: Date.now,
    };
    const [grouped = 0, single = 0, inserted = 0] = await compare(
      [
        {
          name: "writer",
          run: (count) =>
            fromClients(CLIENTS, count, async () => {
              const appended = await node.writer.append(proposal());
              if (appended.outcome !== "committed") throw new Error("an event was stale");
            }),
        },
        {
          name: "one transaction each",
          run: (count) =>
            fromClients(CONNECTIONS, count, async () => {
              const prepared = [prepareProposal(proposal(), randomBytes)];
              const { answers } = await commitGroup(context, prepared, async () => {});
              if (answers[0]?.outcome !== "committed") throw new Error("an event was stale");
            }),
        },
        { name: "bare multi-row INSERT", run: bare.insert },
      ],
      ROUNDS,
    );
    const { size } = await readHead(database.kysely);
    const row = (name: string, median: number, unit = "events/s") => ({ name, median, unit });
    return {
      bench: "append",
      rows: [
        row("writer", grouped),
        row("one transaction each", single),
        row("bare multi-row INSERT", inserted),
        row("log size at the end", size, "events"),
      ],
      ratios: { "vs-one-transaction-each": grouped / single, "vs-bare-insert": grouped / inserted },
    };
  } finally {
    await bare.close();
    await node.close();
    await database.close();
    await postgres.drop();
    await stopPostgres();
    await rm(dataDir, { recursive: true, force: true });
  }
}

let made = 0;

/** An event of an artifact's chain from which no other row follows. */
function proposal(): Proposal {
  return {
    project: PROJECT,
    asOf: 1,
    restsOn: [],
    events: [identityDenied(digestOf(`artifact ${made++}`))],
  };
}

/** Tables like those that an event leaves its rows in, and rows for them that were made beforehand. */
async function openBareTables(url: string) {
  const client = new pg.Client(url);
  await client.connect();
  await client.query("create table bare_entries (like log_entries including indexes)");
  await client.query("create table bare_chain (like log_chain including indexes)");
  const prepared = Array.from({ length: ROWS }, () => prepareProposal(proposal(), randomBytes));
  const entries = entriesOf(prepared);
  let next = 0;
  const insertInto = (table: string, rows: readonly (readonly unknown[])[]) => {
    const columns = rows[0]?.length ?? 0;
    const places = rows.map((row, i) => `(${row.map((_, j) => `$${columns * i + j + 1}`).join(", ")})`);
    const text = `insert into ${table} values ${places.join(", ")}`;
    return client.query({ name: `${table} ${rows.length}`, text, values: rows.flat() });
  };
  return {
    async insert(count: number): Promise<void> {
      for (let left = count; left > 0; left -= ROWS) {
        const rows = entries.slice(0, left).map((entry) => ({ ...entry, index: next++ }));
        await client.query("begin");
        await insertInto(
          "bare_entries",
          rows.map(({ index, project, draft, time, leaf, leafHash, salt, body }) => [
            index,
            project,
            EVENT_TYPES[draft.type],
            time,
            leaf,
            leafHash,
            salt,
            body,
          ]),
        );
        await insertInto(
          "bare_chain",
          rows.map(({ index, project }) => [project, digestOf(randomBytes(32)), index]),
        );
        await client.query("commit");
      }
    },
    close: () => client.end(),
  };
}

function entriesOf(prepared: readonly PreparedProposal[]): LogEntry[] {
  const head = { size: 1, peaks: [], root: new Uint8Array(32), time: Date.now(), checkpoint: "" };
  return sequence(head, prepared, new Map(), Date.now()).flatMap((fate) =>
    fate.case === "sequenced" ? fate.entries : [],
  );
}
