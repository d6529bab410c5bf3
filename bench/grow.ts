import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { Proposal } from "../src/custody/writer.ts";
import { openDatabase } from "../src/db/connection.ts";
import { readChain, readHead, tileReader } from "../src/db/log.ts";
import { proveConsistency, proveInclusion, proveInclusions } from "../src/tlog/proofs.ts";
import { openLogNode, testSigner } from "../test/support/log-node.ts";
import { createPostgres, stopPostgres } from "../test/support/postgres.ts";
import { digestOf, identityDenied, PROJECT } from "../test/support/pushes.ts";
import { type BenchResult, median } from "./measure.ts";

const SMALL = 10_000;
/** Events of the one artifact, spread over the log. */
const EVENTS = 20;
/** Events that are loaded at once. */
const STEP = 2_048;
/** How often each is done in each log. */
const TIMES = { "inclusion proof": 300, "consistency proof": 300, "chain with its proofs": 150, append: 100 };
type Operation = keyof typeof TIMES;
const ARTIFACT = digestOf("the artifact that is looked at");

/**
 * What one artifact costs in a log of 10,000 entries and in one of 1,000,000 (`--count`): a proof that an entry is in the
 * log, one that the log grew from what it was, the artifact's chain with its proofs, and one more event of it, durable
 * and with its receipt. The two logs take turns. The ratio is that of whichever lost most.
 */
export async function grow({ count = 1_000_000 }: { readonly count?: number }): Promise<BenchResult> {
  const logs = [await openLog(SMALL), await openLog(count)] as const;
  try {
    const rss = process.memoryUsage.rss();
    for (const log of logs) await log.load();
    const loaded = process.memoryUsage.rss();

    const rows: BenchResult["rows"][number][] = [];
    const kept: number[] = [];
    for (const name of Object.keys(TIMES) as Operation[]) {
      const costs: number[][] = [[], []];
      for (let i = 0; i < TIMES[name]; i += 1)
        for (const [which, log] of logs.entries())
          costs[which]?.push(await microseconds(log.operations[name]));
      const [small = Number.NaN, large = Number.NaN] = costs.map(median);
      kept.push(small / large);
      rows.push({ name: `${name} at ${SMALL.toLocaleString("en")}`, median: small, unit: "µs" });
      rows.push({ name: `${name} at ${count.toLocaleString("en")}`, median: large, unit: "µs" });
    }
    const memory = (bytes: number) => bytes / 1024 ** 2;
    rows.push({ name: "RSS that loading added", median: memory(loaded - rss), unit: "MiB" });
    rows.push({
      name: "RSS that reading and appending added",
      median: memory(process.memoryUsage.rss() - loaded),
      unit: "MiB",
    });
    return { bench: "grow", rows, ratios: { "cost-10k-over-1m": Math.min(...kept) } };
  } finally {
    for (const log of logs) await log.close();
    await stopPostgres();
  }
}

async function microseconds(operation: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await operation();
  return (performance.now() - start) * 1000;
}

/** A log in a database of its own that is to have this size. */
async function openLog(size: number) {
  const dataDir = await mkdtemp(join(tmpdir(), "vouchsafe-bench-"));
  const postgres = await createPostgres();
  const database = await openDatabase({ ...postgres, dataDir });
  const node = await openLogNode({
    database,
    dataDir,
    signer: testSigner(),
    limits: { batch: STEP, queue: STEP },
  });
  const readTiles = tileReader(database.kysely);
  let made = 0;

  const append = (artifact = digestOf(`artifact ${made++}`)) =>
    node.writer.append({ ...PROPOSAL, events: [identityDenied(artifact)] });

  const anIndex = () => Math.floor(Math.random() * (size - 1));
  const operations: Readonly<Record<Operation, () => Promise<unknown>>> = {
    "inclusion proof": () => proveInclusion(readTiles, anIndex(), size),
    "consistency proof": () => proveConsistency(readTiles, 1 + anIndex(), size),
    async "chain with its proofs"() {
      const chain = await readChain(database.kysely, PROJECT, ARTIFACT, { below: size });
      const indexes = chain.map(({ index }) => index);
      await proveInclusions(readTiles, indexes, size);
      if (chain.length < EVENTS) throw new Error(`the chain has ${chain.length} events`);
    },
    append: () => append(ARTIFACT),
  };

  return {
    async load(): Promise<void> {
      for (let at = (await readHead(database.kysely)).size; at < size; ) {
        const step = Math.min(STEP, size - at);
        const isDue = (i: number) => (at + i) % Math.floor(size / (EVENTS + 1)) === 0;
        await Promise.all(Array.from({ length: step }, (_, i) => append(isDue(i) ? ARTIFACT : undefined)));
        at += step;
      }
      // What loading left to be done must not be done while somebody measures.
      const admin = new pg.Client(postgres.adminUrl);
      await admin.connect();
      await admin.query("vacuum analyze");
      await admin.query("checkpoint");
      await admin.end();
    },
    operations,
    async close(): Promise<void> {
      await node.close();
      await database.close();
      await postgres.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Of an event from which no other row follows. */
const PROPOSAL: Omit<Proposal, "events"> = { project: PROJECT, asOf: 1, restsOn: [] };
