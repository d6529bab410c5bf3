/**
 * The agent killed again and again while many workloads ask: it goes on by itself, and every SVID is in the log.
 * VOUCHSAFE_LONG=1 runs it.
 */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Identity } from "../../src/client/identity-types.ts";
import { UNLESS_LONG } from "../support/long.ts";
import { type AgentHouse, openAgentHouse, until, WIDGETS } from "./agent-house.ts";
import { type Executable, tamperedCopy } from "./executable.ts";
import { startProgram, type Workload } from "./run-workload.ts";

const ASKER = fileURLToPath(new URL("asker.cjs", import.meta.url));
const KILLS = 3;
/** SVIDs that are handed out before each kill. */
const BETWEEN = 25;

describe("an agent that is killed under load", {
  skip: (process.platform !== "linux" && "only Linux attests") || UNLESS_LONG,
}, () => {
  let house: AgentHouse;
  const workloads: Workload[] = [];
  before(async () => {
    house = await openAgentHouse(WIDGETS);
  });
  after(async () => {
    for (const workload of workloads) await workload.stop();
    await house.close();
  });

  /** What one program's processes are given, from now until they are stopped. */
  function keepAsking({ path }: Executable) {
    const workload = startProgram(path, [ASKER, house.path("node-1.sock")]);
    workloads.push(workload);
    const received: { readonly kind: string; readonly serial: string }[] = [];
    const reading = (async () => {
      for await (const { kind, serial } of workload.lines) received.push({ kind, serial });
    })();
    return {
      received,
      async stop() {
        await workload.stop();
        await reading;
      },
    };
  }

  async function recorded(): Promise<Map<string, Identity>> {
    const found = new Map<string, Identity>();
    for (let after: string | undefined; ; ) {
      const { identities, next } = await house.operator.listIdentities({
        limit: 200,
        ...(after !== undefined && { after }),
      });
      for (const identity of identities) found.set(identity.serial, identity);
      if (next === null) return found;
      after = next;
    }
  }

  test("starts again with the credential that it had, and hands out nothing that is not in the log", async () => {
    const second = await tamperedCopy(house.widget, "second");
    const unknown = await tamperedCopy(house.widget, "unknown");
    await house.release(second.digest);
    let agent = await house.join("node-1");
    const credential = await readFile(house.path("node-1/agent.pem"), "utf8");
    const [one, two, three] = [house.widget, second, unknown].map(keepAsking);
    assert.ok(one && two && three);

    for (let kill = 0; kill < KILLS; kill += 1) {
      const before = [one, two].map(({ received }) => received.length + BETWEEN);
      await until(() => [one, two].every(({ received }, i) => received.length >= (before[i] ?? 0)));
      await agent.kill();
      // No join token: nobody has to do anything but start it.
      agent = await house.start("node-1");
    }
    const atLast = one.received.length;
    await until(() => one.received.length > atLast + BETWEEN);
    await Promise.all([one, two, three].map((asker) => asker.stop()));

    assert.equal(await readFile(house.path("node-1/agent.pem"), "utf8"), credential);
    assert.deepEqual(await readdir(house.path("node-1")), ["agent.pem"]);
    const log = await recorded();
    for (const [asker, { digest }] of [
      [one, house.widget],
      [two, second],
    ] as const) {
      assert.deepEqual([...new Set(asker.received.map(({ kind }) => kind))].sort(), ["jwt", "sds", "x509"]);
      for (const { kind, serial } of asker.received) {
        const identity = log.get(serial);
        assert.deepEqual(
          [identity?.kind, identity?.digests, identity?.requester],
          [kind === "jwt" ? "jwt" : "x509", [digest], agent.id],
        );
      }
    }
    const tokens = [...one.received, ...two.received].filter(({ kind }) => kind === "jwt");
    assert.equal(
      new Set(tokens.map(({ serial }) => serial)).size,
      tokens.length,
      "a token was handed out twice",
    );
    // What an agent was granted is for all processes of the same, and gone with the agent.
    const keys = new Set(one.received.filter(({ kind }) => kind !== "jwt").map(({ serial }) => serial));
    assert.ok(keys.size > KILLS, `${keys.size} X.509-SVIDs by ${KILLS + 1} agents`);
    assert.deepEqual(three.received, []);
    assert.ok(![...log.values()].some(({ digests }) => digests.includes(unknown.digest)));
  });
});
