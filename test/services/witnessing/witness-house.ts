import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { createLog } from "../../../src/log.ts";
import { ed25519Cosigner } from "../../../src/tlog/cosignature.ts";
import { openNode, type TestNode } from "../../http/node.ts";
import { createPostgres, type TestPostgres } from "../../support/postgres.ts";

/** Nodes on one Postgres that share their keys, and witnesses of their log. */
export interface WitnessHouse {
  readonly postgres: TestPostgres;
  path(name: string): string;
  /** Writes a witness policy in which `count` of these are enough, and gives its path. */
  policy(
    count: number,
    witnesses: readonly { readonly verifierKey: string; readonly url: string }[],
  ): Promise<string>;
  /** What all nodes told, a line each. */
  readonly told: readonly string[];
  /** A node of its own data directory, with the keys of the others. */
  open(settings?: Readonly<Record<string, string>>): Promise<TestNode>;
  /** Keeps the database as it is, while no node is open; the result puts it back so. */
  dump(): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const KEYS = ["log-key.pem", "authority-1.pem", "vsa-key.pem"];

export async function openWitnessHouse(): Promise<WitnessHouse> {
  const postgres = await createPostgres();
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-witnessed-"));
  const nodes: TestNode[] = [];
  const told: string[] = [];
  const logger = createLog({ level: "warn", write: (line) => void told.push(line) });
  let count = 0;
  return {
    postgres,
    told,
    path: (name) => join(directory, name),
    async policy(threshold, witnesses) {
      const lines = witnesses.map(({ verifierKey, url }, i) => `witness w${i} ${verifierKey} ${url}`);
      const names = witnesses.map((_, i) => `w${i}`).join(" ");
      const path = join(directory, `policy-${++count}`);
      await writeFile(
        path,
        `${lines.join("\n")}\ngroup all-of-them ${threshold} ${names}\nquorum all-of-them\n`,
      );
      return path;
    },
    async open(settings = {}) {
      const data = join(directory, `data-${++count}`);
      await mkdir(data, { mode: 0o700 });
      for (const key of KEYS) await cp(join(directory, "keys", key), join(data, key)).catch(() => undefined);
      const shared = { DATABASE_URL: postgres.databaseUrl, MIGRATE_DATABASE_URL: postgres.migrateUrl };
      const node = await openNode({ ...shared, VOUCHSAFE_DATA_DIR: data, ...settings }, { logger });
      nodes.push(node);
      await mkdir(join(directory, "keys"), { recursive: true });
      for (const key of KEYS) await cp(join(data, key), join(directory, "keys", key)).catch(() => undefined);
      return node;
    },
    async dump() {
      const name = new URL(postgres.adminUrl).pathname.slice(1);
      const copy = `${name}_dump_${++count}`;
      const { username: owner } = new URL(postgres.migrateUrl);
      await administer(postgres.adminUrl, [`create database ${copy} template ${name} owner ${owner}`]);
      return () =>
        administer(postgres.adminUrl, [
          `drop database ${name} with (force)`,
          `alter database ${copy} rename to ${name}`,
        ]);
    },
    async close() {
      for (const node of nodes) await node.close();
      await postgres.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** From another database: none is copied or renamed while somebody is connected to it. */
async function administer(url: string, statements: readonly string[]): Promise<void> {
  const elsewhere = new URL(url);
  elsewhere.pathname = "/postgres";
  const client = new pg.Client(elsewhere.href);
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

/** A witness that answers as it is told to. */
export async function strangeWitness(
  answer: (cosigner: ReturnType<typeof ed25519Cosigner>) => RequestListener,
): Promise<{ readonly verifierKey: string; readonly url: string; stop(): Promise<void> }> {
  const cosigner = ed25519Cosigner("strange.example/w", generateKeyPairSync("ed25519").privateKey);
  const server: Server = createServer(answer(cosigner));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    verifierKey: cosigner.verifierKey,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Asks again and again until it holds; the test's own time limit ends what never does. */
export async function until<T>(ask: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await sleep(50);
  }
}
