/**
 * A database that was dumped by `pg_dump` while a node went on writing, and restored by `pg_restore`, as
 * docs/backup.md says to. Only where VOUCHSAFE_INTEROP=1 asks for it, with the Postgres that is installed.
 */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import pg from "pg";
import { readHead } from "../../src/db/log.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";
import { sweepEvidence } from "../../src/services/evidence/expire-evidence.ts";
import { placeHold } from "../../src/services/evidence/holds.ts";
import { pushAttestation } from "../../src/services/evidence/push-attestation.ts";
import { fsck } from "../../src/services/log/fsck.ts";
import type { TestNode } from "../http/node.ts";
import { callerWith, openReleaseHouse } from "../services/release-node.ts";
import { slsaProvenance } from "../sigstore/provenance.ts";
import { installedPrograms, startInstalled } from "../support/installed-postgres.ts";
import { skipInterop } from "../support/interop.ts";
import { createBarePostgres } from "../support/postgres.ts";

const RETENTION = `
apiVersion: vouchsafe.dev/v1
kind: RetentionPolicy
metadata: { name: house }
spec: { default: standard, classes: { standard: { keep: 30d } } }
`;
const MONTH = 31 * 86_400_000;

async function reasonToSkip(): Promise<string | false> {
  const skip = skipInterop();
  if (skip !== false) return skip;
  return (await installedPrograms()) === undefined ? "no Postgres with pg_dump is installed here" : false;
}

test("a restored dump goes on where it is up to date, and is refused where it is older", {
  skip: await reasonToSkip(),
}, async () => {
  // Each goes as soon as anything after it fails: a server left running would keep this process alive.
  await using made = new AsyncDisposableStack();
  const server = made.adopt(await startInstalled((await installedPrograms()) ?? ""), (one) => one.stop());
  const origin = await createBarePostgres(server.url);
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-dump-"));
  made.defer(() => rm(directory, { recursive: true, force: true }));
  const house = made.adopt(await openReleaseHouse(origin, { "retention.yaml": RETENTION }), (one) =>
    one.close(),
  );
  const settings = { VOUCHSAFE_DATA_DIR: join(directory, "data") };
  const node = await house.open(settings);

  async function push(node: TestNode): Promise<{ readonly id: Digest; readonly digest: Digest }> {
    const artifact = { name: "widget", bytes: randomBytes(32) };
    const bytes = await house.sigstore.signStatement(slsaProvenance([artifact]));
    await pushAttestation(node.v, operator(node), { bytes });
    return { id: sha256(bytes), digest: sha256(artifact.bytes) };
  }
  const operator = (of: TestNode) => callerWith(of, ["operator"]);
  const sizeOf = async ({ v }: TestNode) => (await readHead(v.database.kysely)).size;
  const holds = async (of: TestNode) =>
    assert.deepEqual((await fsck(of.v.database, { logKeys: of.v.log.verifierKey })).findings, []);

  const expired = await push(node);
  node.advance(MONTH);
  assert.equal((await sweepEvidence(node.v, operator(node))).expired[0]?.attestation, expired.id);
  const held = await push(node);
  await placeHold(node.v, operator(node), { artifact: held.digest, reason: "Doe v. Acme" });

  // The first dump, while the node writes.
  let isDumping = true;
  const writing = (async () => {
    for (let i = 0; isDumping || i < 3; i += 1) await push(node);
  })();
  const before = await sizeOf(node);
  const older = await dump(server, origin.adminUrl, "older").finally(() => {
    isDumping = false;
  });
  await writing;
  const size = await sizeOf(node);
  const newest = await dump(server, origin.adminUrl, "newest");
  await node.close();

  const restored = await restore(server, origin, newest);
  const goesOn = await house.open({ ...settings, ...restored });
  assert.equal(await sizeOf(goesOn), size);
  const kept = await push(goesOn);
  assert.ok((await sizeOf(goesOn)) > size);
  await holds(goesOn);
  await protects(restored, held.id);
  goesOn.advance(2 * MONTH);
  const gone = (await sweepEvidence(goesOn.v, operator(goesOn))).expired.map(
    ({ attestation }) => attestation,
  );
  assert.ok(
    gone.includes(kept.id) && !gone.includes(held.id),
    "bytes go by the restored door, and no held ones",
  );
  await goesOn.close();

  const gap = await restore(server, origin, older);
  await assert.rejects(house.open({ ...settings, ...gap }), { code: "log-inconsistent" });
  // A node that acknowledged nothing takes it for what it is: a whole log, of an earlier size.
  const elsewhere = await house.open({ ...gap, VOUCHSAFE_DATA_DIR: join(directory, "new") });
  assert.ok((await sizeOf(elsewhere)) >= before && (await sizeOf(elsewhere)) < size);
  await holds(elsewhere);
});

type Server = Awaited<ReturnType<typeof startInstalled>>;
type Origin = Awaited<ReturnType<typeof createBarePostgres>>;

async function dump(server: Server, url: string, name: string): Promise<string> {
  const file = join(server.directory, name);
  await server.run("pg_dump", ["--format=custom", `--dbname=${url}`, `--file=${file}`]);
  return file;
}

/** Into a new database of the same roles, as its superuser. */
async function restore(server: Server, origin: Origin, file: string) {
  const name = `restored_${randomBytes(6).toString("hex")}`;
  const at = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  await asRole(server.url, `create database ${name} owner ${new URL(origin.migrateUrl).username}`);
  await server.run("pg_restore", ["--exit-on-error", `--dbname=${at(server.url)}`, file]);
  return { DATABASE_URL: at(origin.databaseUrl), MIGRATE_DATABASE_URL: at(origin.migrateUrl) };
}

/** What grants and triggers refuse, they refuse in the restored database. */
async function protects(
  { DATABASE_URL, MIGRATE_DATABASE_URL }: Awaited<ReturnType<typeof restore>>,
  held: string,
): Promise<void> {
  const refused = { code: "42501" };
  for (const url of [DATABASE_URL, MIGRATE_DATABASE_URL]) {
    for (const statement of [
      "delete from log_entries",
      "update log_entries set time = 0",
      `update evidence set bytes = null where id = '${held}'`,
      "delete from holds",
    ]) {
      await assert.rejects(asRole(url, statement), refused, `${url}: ${statement}`);
    }
  }
}

async function asRole(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
