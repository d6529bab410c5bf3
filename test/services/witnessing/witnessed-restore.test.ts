import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import type { VouchsafeError } from "../../../src/errors.ts";
import { serveWitness, type WitnessServer } from "../../../src/witness/server.ts";
import { openWitness, type Witness } from "../../../src/witness/witness.ts";
import type { TestNode } from "../../http/node.ts";
import { growLog } from "../../support/grow-log.ts";
import { createPostgres, stopPostgres } from "../../support/postgres.ts";
import { openWitnessHouse, strangeWitness, until, type WitnessHouse } from "./witness-house.ts";

const SIZE = 30;

/** Each node here has a data directory of its own with the log's key and nothing else: it cannot know what was acknowledged. */
describe("a database that was put back from an older dump", { timeout: 110_000 }, () => {
  let house: WitnessHouse;
  let witness: Witness;
  let server: WitnessServer;
  let address: { host: string; port: number };
  let policy: string;
  let restore: () => Promise<void>;

  before(async () => {
    house = await openWitnessHouse();
    const first = await house.open();
    const { verifierKey } = first.v.log;
    await first.close();
    await mkdir(house.path("w"), { mode: 0o700 });
    const options = { directory: house.path("w"), name: "w.example", logs: [verifierKey], clock: Date.now };
    witness = await openWitness(options);
    server = await serveWitness(witness, { host: "127.0.0.1", port: 0 }, () => {});
    address = { host: "127.0.0.1", port: Number(new URL(server.url).port) };
    policy = await house.policy(1, [{ ...witness, url: server.url }]);
  });
  after(async () => {
    await server.close();
    await witness.close();
    await house.close();
    await stopPostgres();
  });

  const open = () => house.open({ VOUCHSAFE_WITNESSES: policy });
  const contradicts = (what: RegExp) => (error: VouchsafeError) =>
    error.code === "log-inconsistent" && what.test(error.message);

  const witnessedAt = (node: TestNode, size: number) =>
    until(async () => (await node.app.inject("/log/witnesses")).json().witnessedSize === size);

  /** Grows the log without witnesses, as an operator would who takes them out to get it going. */
  async function growUnwitnessed(size: number): Promise<void> {
    const node = await house.open();
    await growLog(node.v, size);
    await node.close();
  }

  test("stops growing when the witness that saw more was away at the start, and comes back", async () => {
    const before = await open();
    await growLog(before.v, SIZE - 10);
    await witnessedAt(before, SIZE - 10);
    await before.close();
    restore = await house.dump();
    const restoreFirst = await house.dump();
    const later = await open();
    await growLog(later.v, SIZE);
    await witnessedAt(later, SIZE);
    await later.close();
    await restoreFirst();

    await server.close();
    const node = await open();
    await growLog(node.v, SIZE + 6);
    server = await serveWitness(witness, address, () => {});
    await until(async () => node.v.obstacles.has("witnesses"));
    await assert.rejects(growLog(node.v, SIZE + 10), contradicts(/contradicts this log/));
    assert.equal((await node.app.inject("/readyz")).json().code, "log-inconsistent");
    const { witnesses } = (await node.app.inject("/log/witnesses")).json();
    assert.match(witnesses[0].contradiction, /is not in this log/);
    await node.close();
  });

  test("does not start: the witness has seen more", async () => {
    await restore();
    const refused = contradicts(/it cosigned a tree of 30 entries, and this log has 20.*restore/s);
    await assert.rejects(open(), refused);
    await server.close();
    await assert.rejects(open(), refused, "what it said stands while it is away");
    server = await serveWitness(witness, address, () => {});
  });

  test("nor when it has grown to the same size since, or beyond", async () => {
    await growUnwitnessed(SIZE);
    await assert.rejects(open(), contradicts(/it cosigned another tree of 30 entries/));
    await growUnwitnessed(SIZE + 5);
    await assert.rejects(open(), contradicts(/its tree of 30 entries is not in this log/));
  });

  test("is not begun anew under the same key when it was lost as a whole", async () => {
    const empty = await createPostgres();
    const settings = { DATABASE_URL: empty.databaseUrl, MIGRATE_DATABASE_URL: empty.migrateUrl };
    await assert.rejects(
      house.open({ ...settings, VOUCHSAFE_WITNESSES: policy }),
      contradicts(/it cosigned a tree of 30 entries, and this log has 0/),
    );
    await empty.drop();
  });

  test("goes on where the witness that says so is taken out of the policy", async () => {
    const answers = { "content-type": "text/x.tlog.size" };
    const liar = await strangeWitness(
      () => (_, response) => response.writeHead(409, answers).end("1000000\n"),
    );
    const lied = await house.policy(1, [liar]);
    await assert.rejects(house.open({ VOUCHSAFE_WITNESSES: lied }), contradicts(/1000000/));
    const node = await house.open();
    await growLog(node.v, SIZE + 8);
    await node.close();
    await liar.stop();
  });
});
