/**
 * Server, agent and Postgres killed in turn (SIGKILL) while workloads ask: what they hold stands in the log, and all goes on
 * by itself. VOUCHSAFE_LONG=1 runs it.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { fsckDatabase } from "../../src/services/log/fsck.ts";
import { collected } from "../support/collected.ts";
import { type CrashingPostgres, startCrashingPostgres } from "../support/crashing-postgres.ts";
import { UNLESS_LONG } from "../support/long.ts";
import { type AgentHouse, openAgentHouse, until, WIDGETS } from "./agent-house.ts";
import { startProgram, type Workload } from "./run-workload.ts";

const ASKER = fileURLToPath(new URL("asker.cjs", import.meta.url));
const ROUNDS = 3;
/** SVIDs that are handed out before each kill. */
const BETWEEN = 25;

const skip = (process.platform !== "linux" && "only Linux attests") || UNLESS_LONG;

describe("server, agent and Postgres, killed in turn under load", { skip }, () => {
  let postgres: CrashingPostgres;
  let house: AgentHouse;
  let workload: Workload | undefined;
  before(async () => {
    postgres = await startCrashingPostgres();
    house = await openAgentHouse(WIDGETS, { DATABASE_URL: postgres.url });
  });
  after(async () => {
    await workload?.stop();
    await house.close();
    await postgres.stop();
  });

  test("no SVID without its event, no event of two keys, and nobody needs to do anything", async () => {
    const agent = { running: await house.join("node-1") };
    const received: { readonly kind: string; readonly serial: string; readonly keyHash: string | null }[] =
      [];
    const asker = startProgram(house.widget.path, [ASKER, house.path("node-1.sock")]);
    workload = asker;
    const reading = (async () => {
      for await (const { kind, serial, keyHash } of asker.lines) received.push({ kind, serial, keyHash });
    })();
    const kills = [
      () => house.killServer(),
      async () => {
        await agent.running.kill();
        agent.running = await house.start("node-1");
      },
      async () => {
        await postgres.crash("SIGKILL");
        await sleep(300);
        await postgres.start();
      },
    ];
    const served = async () => {
      const wanted = received.length + BETWEEN;
      await until(() => received.length >= wanted);
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const kill of kills) {
        await served();
        await kill();
      }
    }
    await served();
    await asker.stop();
    await reading;

    const types = ["identity.issued", "identity.renewed"] as const;
    const events = await collected(house.operator.custodyEvents(house.widget.digest, { types: [...types] }));
    const keys = new Map(events.map(({ body }) => [String(body.serial), body.keyHash]));
    assert.equal(keys.size, events.length, "two events are of one SVID");
    for (const { serial, keyHash } of received) assert.equal(keys.get(serial), keyHash ?? null, serial);
    assert.deepEqual([...new Set(received.map(({ kind }) => kind))].sort(), ["jwt", "sds", "x509"]);
    const verifierKey = await house.operator.logKey();
    const { findings } = await fsckDatabase(
      { databaseUrl: postgres.url, dataDir: house.path("server") },
      { logKeys: verifierKey },
    );
    assert.deepEqual(findings, []);
  });
});
