import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient } from "../../../src/client/client.ts";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";
import { type RunningServer, startServer } from "../../cli/server.ts";
import { writeAuthorityFiles } from "../../support/authority-files.ts";
import { collected } from "../../support/collected.ts";
import { UNLESS_LONG } from "../../support/long.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { envelopeKey, signedEnvelope } from "../signed-envelope.ts";
import { newKey } from "./identity-house.ts";

const POLICIES = `
apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: tested }
spec:
  artifacts: { names: [widget] }
  signers: [{ key: builder }]
---
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: widget }
spec:
  selectors: ["unix:uid:1000"]
  spiffeId: /widget
  policies: [tested]
  requesters: { issuers: [broker] }
`;
const CLIENTS = 8;

/** An SVID as it was handed out. */
interface Granted {
  readonly serial: string;
  readonly index: number;
}

describe("granting by servers that are killed, or stopped in the middle", { skip: UNLESS_LONG }, () => {
  let postgres: TestPostgres;
  let directory: string;
  let authority: Record<string, string>;
  const key = envelopeKey();
  const servers: RunningServer[] = [];

  before(async () => {
    postgres = await createPostgres();
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-grants-"));
    await mkdir(join(directory, "policies"));
    await writeFile(join(directory, "policies", "policies.yaml"), POLICIES);
    await writeFile(join(directory, "builder.pem"), key.pem);
    authority = await writeAuthorityFiles(join(directory, "authority"));
  });
  after(async () => {
    for (const server of servers) await server.kill();
    await postgres.drop();
    await stopPostgres();
    await rm(directory, { recursive: true, force: true });
  });

  async function start(name: string): Promise<RunningServer> {
    const server = await startServer({
      DATABASE_URL: postgres.databaseUrl,
      MIGRATE_DATABASE_URL: postgres.migrateUrl,
      VOUCHSAFE_DATA_DIR: join(directory, name),
      VOUCHSAFE_LOG_KEY_FILE: join(directory, "log-key.pem"),
      VOUCHSAFE_POLICIES: join(directory, "policies"),
      VOUCHSAFE_KEYS: join(directory, "builder.pem"),
      ...authority,
    });
    servers.push(server);
    return server;
  }

  async function operator(server: RunningServer): Promise<Client> {
    const token = (await readFile(join(directory, "first", "operator-token"), "utf8")).trim();
    return createClient({ server: server.url, token });
  }

  /** Asks for SVIDs over and over, from several clients at once, until told to stop. */
  function keepAsking(server: RunningServer, token: string, digest: Digest) {
    const broker = createClient({ server: server.url, token, retries: 0 });
    const granted: Granted[] = [];
    const enough = Promise.withResolvers<void>();
    let asking = true;
    const clients = Array.from({ length: CLIENTS }, async () => {
      while (asking) {
        const { csr } = newKey();
        const request = { csr, selectors: ["unix:uid:1000"], components: { executable: [digest] } };
        const answer = await broker.requestX509Svids(request).catch(() => undefined);
        for (const { serial, receipt } of answer?.svids ?? []) granted.push({ serial, index: receipt.index });
        if (granted.length >= 40) enough.resolve();
        if (!answer) await sleep(5);
      }
    });
    return {
      granted,
      enough: enough.promise,
      async stop() {
        asking = false;
        await Promise.all(clients);
      },
    };
  }

  async function recorded(client: Client, digest: Digest): Promise<Map<string, number>> {
    const grants = await collected(client.custodyEvents(digest, { types: ["identity.issued"] }));
    return new Map(grants.map(({ body, index }) => [String(body.serial), index]));
  }

  test("no SVID was handed out without its event, and nothing is granted past a quarantine", async () => {
    const first = await start("first");
    const second = await start("second");
    const admin = await operator(first);
    const { token } = await admin.createToken({ name: "broker", roles: ["issuer"] });
    const killed = signedEnvelope(key.privateKey);
    const frozen = signedEnvelope(key.privateKey);
    for (const { bytes } of [killed, frozen]) await admin.pushAttestation(bytes);

    // Killed under load: every SVID that a client holds stands in the log that the other node reads.
    const underLoad = keepAsking(first, token, killed.digest);
    await underLoad.enough;
    await first.kill();
    await underLoad.stop();
    const survivor = await operator(second);
    const log = await recorded(survivor, killed.digest);
    for (const { serial, index } of underLoad.granted) assert.equal(log.get(serial), index);

    // Stopped under load while a quarantine is committed elsewhere, and continued: nothing is granted past it.
    const third = await start("third");
    const meanwhile = keepAsking(third, token, frozen.digest);
    await meanwhile.enough;
    third.freeze();
    const quarantine = await survivor.openQuarantine(frozen.digest, "while a node stands still");
    await sleep(500);
    third.thaw();
    await sleep(500);
    await meanwhile.stop();
    const past = [
      ...(await recorded(survivor, frozen.digest)).values(),
      ...meanwhile.granted.map(({ index }) => index),
    ];
    assert.ok(past.length >= 40);
    assert.deepEqual(
      past.filter((index) => index > quarantine.receipt.index),
      [],
    );
  });
});
