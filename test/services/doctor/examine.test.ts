import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import pg from "pg";
import type { Config } from "../../../src/config/config.ts";
import { closeDoors } from "../../../src/http/drain.ts";
import { makeEd25519Key } from "../../../src/private-key.ts";
import { examine } from "../../../src/services/doctor/examine.ts";
import type { Finding } from "../../../src/services/doctor/finding.ts";
import { assertEnded, vouchsafe } from "../../cli/vouchsafe.ts";
import { openNode, type TestNode } from "../../http/node.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";

const DAY = 24 * 3_600_000;

let postgres: TestPostgres;
let node: TestNode;
let server: string;
let config: Config;
let admin: pg.Client;
before(async () => {
  postgres = await createPostgres();
  node = await openNode({ DATABASE_URL: postgres.databaseUrl, MIGRATE_DATABASE_URL: postgres.migrateUrl });
  await node.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = node.app.server.address() as AddressInfo;
  server = `http://127.0.0.1:${port}`;
  config = { ...node.v.config, port };
  admin = new pg.Client(postgres.adminUrl);
  await admin.connect();
  // As a superuser may: no trigger stops him then.
  await admin.query("set session_replication_role = replica");
});
after(async () => {
  await admin.end();
  await node.close();
  await postgres.drop();
  await stopPostgres();
});

const look = (changes: Partial<Config> = {}, now = Date.now, url = server) =>
  examine({ config: { ...config, ...changes }, server: url, isExpected: true }, now);
const wrong = (findings: readonly Finding[]) => findings.filter(({ level }) => level === "bad");

/** That what was broken is found, and nothing else is; and that it is gone once it is mended. */
async function finds(
  check: string,
  what: RegExp,
  changes: Partial<Config> = {},
  level: Finding["level"] = "bad",
): Promise<void> {
  const findings = await look(changes);
  const found = findings.filter((finding) => finding.check === check && finding.level === level);
  assert.ok(
    found.some((finding) => what.test(finding.what)),
    JSON.stringify(findings, null, 1),
  );
  if (level === "bad")
    assert.deepEqual([...new Set(wrong(findings).map((finding) => finding.check))], [check]);
}

describe("the doctor", () => {
  test("finds nothing wrong with a node that is well, and tells what it looked at", async () => {
    const findings = await look();
    assert.deepEqual(wrong(findings), []);
    const checks = new Set(findings.map(({ check }) => check));
    for (const check of [
      "node",
      "memory",
      "data-directory",
      "space",
      "keys",
      "port",
      "database",
      "fsync",
      "rights",
      "clock",
      "log",
      "log-key",
      "policies",
      "authorities",
      "server",
    ])
      assert.ok(checks.has(check), check);
    assert.ok(
      findings.every(({ what }) => !/PRIVATE|_app:|vouchsafe_[a-z0-9]{8,}_[A-Za-z0-9_-]{20}/.test(what)),
    );
  });

  test("finds a data directory that others may enter, or that is not there", async () => {
    await chmod(config.dataDir, 0o750);
    await finds("data-directory", /others may enter .* \(mode 0750\)/);
    assert.equal((await look()).filter(({ check }) => check === "data-directory").length, 1);
    await chmod(config.dataDir, 0o700);
    await finds(
      "data-directory",
      /is not there/,
      { dataDir: join(config.dataDir, "none"), logKeyFiles: [join(config.dataDir, "log-key.pem")] },
      "warning",
    );
  });

  test("finds keys that others may read, keys that are missing, and keys that are not the log's", async () => {
    const path = join(config.dataDir, "log-key.pem");
    await chmod(path, 0o644);
    await finds("keys", /others may read .*log-key\.pem \(mode 0644\)/);
    await chmod(path, 0o600);
    await rename(path, `${path}.away`);
    await finds("log-key", /holds no Ed25519 key/);
    await writeFile(path, makeEd25519Key(), { mode: 0o600 });
    await finds("log-key", /is not the log's/);
    await rename(`${path}.away`, path);
    assert.deepEqual(wrong(await look()), []);
  });

  test("finds a database that is away, one of another schema, and one that refuses", async () => {
    await finds("database", /cannot be reached/, { databaseUrl: "postgres://x:hunter2@127.0.0.1:1/x" });
    const refused = await look({ databaseUrl: postgres.databaseUrl.replace(/:[^:@]+@/, ":hunter2@") });
    assert.deepEqual(
      wrong(refused).map(({ check }) => check),
      ["database"],
    );
    assert.doesNotMatch(JSON.stringify(refused), /hunter2/);
    await admin.query("insert into schema_migrations values ('9999-later', 'x')");
    await finds("database", /migration 9999-later/);
    await admin.query("delete from schema_migrations where name = '9999-later'");
  });

  test("finds a role that may change the log, or that owns it", async () => {
    const role = new URL(postgres.databaseUrl).username;
    await admin.query(`grant update on log_entries to ${role}`);
    await finds("rights", /may change or delete/);
    await admin.query(`revoke update on log_entries from ${role}`);
    await finds("rights", /owns the log's tables/, { databaseUrl: postgres.migrateUrl });
    await finds("rights", /is a superuser/, { databaseUrl: postgres.adminUrl });
  });

  test("finds a clock that is wrong, and authorities that have ended", async () => {
    const inTenYears = await look({}, () => Date.now() + 3650 * DAY);
    assert.deepEqual(
      new Set(
        wrong(inTenYears).map(({ check, what }) => `${check} ${/database|server|authority/.exec(what)?.[0]}`),
      ),
      new Set(["clock database", "clock server", "authorities authority"]),
    );
  });

  test("finds a port that another has, and a server that does not answer or denies", async () => {
    const other = createServer((_request, response) => response.writeHead(503).end());
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const busy = await look({ port }, Date.now, `http://127.0.0.1:${port}`);
    assert.deepEqual(
      wrong(busy).map(({ check }) => check),
      ["port", "server"],
    );
    const further = await look(
      { port: 0, metricsPort: port, mtlsPort: port },
      Date.now,
      "http://127.0.0.1:1",
    );
    other.close();
    assert.deepEqual(
      wrong(further).map(({ check }) => check),
      ["port", "port", "server"],
    );
    const gone = await look({ port: 0 }, Date.now, "http://127.0.0.1:1");
    assert.deepEqual(
      wrong(gone).map(({ what }) => what),
      ["no server answers at http://127.0.0.1:1"],
    );
  });

  test("finds repositories of trust that cannot be reached", async () => {
    await finds(
      "network",
      /does not resolve|does not answer/,
      { rekorUrl: "https://nowhere.invalid" },
      "warning",
    );
  });

  test("changes nothing", async () => {
    const read = async () => ({
      head: (await admin.query("select * from log_head")).rows,
      key: await readFile(join(config.dataDir, "log-key.pem"), "utf8"),
    });
    const path = join(config.dataDir, "..", "passphrase");
    await writeFile(path, "a passphrase that is long enough\n", { mode: 0o600 });
    const before = await read();
    await look({ keyPassphraseFile: path });
    assert.deepEqual(await read(), before);
  });
});

test("vouchsafe doctor tells each finding and what to do, and ends with 1 when something is wrong", async () => {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-doctor-"));
  try {
    const env = {
      VOUCHSAFE_DATA_DIR: config.dataDir,
      VOUCHSAFE_TUF: "off",
      PORT: String(config.port),
      DATABASE_URL: postgres.databaseUrl,
    };
    const well = await vouchsafe(["doctor", "--server", server], { cwd: directory, env });
    assertEnded(well, 0, "stdout", /^ok rights: the role \w+ can add to the log, and not change it$/m);
    const unnamed = await vouchsafe(["doctor"], { cwd: directory, env });
    assertEnded(unnamed, 0, "stdout", new RegExp(`^ok server: the server at ${server} answers$`, "m"));
    const wrongly = await vouchsafe(["doctor", "--server", server, "--json"], {
      cwd: directory,
      env: { ...env, PORT: "http", LOG_LEVEL: "loud" },
    });
    assert.equal(wrongly.status, 1);
    const { well: isWell, findings } = JSON.parse(wrongly.stdout);
    assert.deepEqual([isWell, findings[0].check, findings[0].level], [false, "configuration", "bad"]);
    assert.match(findings[1].what, /^LOG_LEVEL/, "each mistake is a finding");
    const remote = await vouchsafe(["doctor", "--remote", "--server", "http://127.0.0.1:1"], {
      cwd: directory,
    });
    assertEnded(
      remote,
      1,
      "stdout",
      /^wrong server: no server answers at http:\/\/127\.0\.0\.1:1\n {4}Start it/m,
    );
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("the doctor finds a head that nobody signed, and a database that is older than what this node acknowledged", async () => {
  const headOf = async () => (await admin.query("select * from log_head")).rows[0];
  const put = (row: Record<string, unknown>) =>
    admin.query("update log_head set size = $1, peaks = $2, root = $3, time = $4, checkpoint = $5", [
      row.size,
      row.peaks,
      row.root,
      row.time,
      row.checkpoint,
    ]);
  const before = await headOf();
  const opened = await node.app.inject({
    method: "POST",
    url: "/quarantines",
    headers: {
      authorization: `Bearer ${await node.token(["operator"])}`,
      "content-type": "application/json",
    },
    payload: JSON.stringify({ artifact: `sha256:${"ab".repeat(32)}`, reason: "r" }),
  });
  assert.equal(opened.statusCode, 201);
  // A node that runs would see it too, and not get over it.
  await closeDoors(node.app);
  await node.v.close();
  const sound = await headOf();
  const bads = async () =>
    wrong(await examine({ config, server, isExpected: false }, Date.now)).map(({ what }) => what);

  await put({ ...sound, checkpoint: sound.checkpoint.replace(/\n\n— (\S+) .*\n$/, "\n\n— $1 AAAAAAAA\n") });
  assert.deepEqual(await bads(), ["the log's head is not signed by the key that the log names"]);

  // As a dump from before would have it.
  await put(before);
  const older = `this node has acknowledged ${sound.size} entries, and the database has ${before.size}: it is an older one`;
  assert.deepEqual(await bads(), [older]);
  // As another database, in which nothing was begun.
  await put({ ...before, size: 0, peaks: Buffer.alloc(0) });
  const empty = `this node has acknowledged ${sound.size} entries, and the database has 0: it is an older one`;
  assert.deepEqual(await bads(), [empty]);
  await put(sound);
  assert.deepEqual(await bads(), []);
});
