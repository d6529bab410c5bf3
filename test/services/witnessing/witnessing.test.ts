import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { readCosigned } from "../../../src/db/witnesses.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { openQuarantine } from "../../../src/services/incidents/quarantine.ts";
import { publishIfBehind } from "../../../src/services/log/cosigned-checkpoints.ts";
import { openLogCheckpoint, parseLogKeys } from "../../../src/tlog/log-keys.ts";
import { parseNote } from "../../../src/tlog/note.ts";
import { parseWitnessPolicy } from "../../../src/tlog/witness-policy.ts";
import { witnessesOf } from "../../../src/tlog/witnesses.ts";
import { assertEnded, vouchsafe } from "../../cli/vouchsafe.ts";
import type { TestNode } from "../../http/node.ts";
import { growLog } from "../../support/grow-log.ts";
import { packOf } from "../../support/packs.ts";
import { stopPostgres } from "../../support/postgres.ts";
import { startWitness, type WitnessProcess } from "../../witness/witness-process.ts";
import { callerWith } from "../release-node.ts";
import { openWitnessHouse, strangeWitness, until, type WitnessHouse } from "./witness-house.ts";

/** Beyond what the server waits for its witnesses. */
const PATIENCE = 10_001;

interface Served {
  readonly note: string;
  readonly size: number;
  readonly witnessed: string | undefined;
}

describe("a log with four witnesses, of which one is down and one lies", { timeout: 110_000 }, () => {
  let house: WitnessHouse;
  let policy: string;
  const good = new Map<string, WitnessProcess>();
  let liar: Awaited<ReturnType<typeof strangeWitness>>;
  let a: TestNode;
  let b: TestNode;

  before(async () => {
    house = await openWitnessHouse();
    // The first node makes the log, before there are witnesses.
    const first = await house.open();
    const { verifierKey } = first.v.log;
    await first.close();
    for (const name of ["ada", "bob"]) {
      await mkdir(house.path(name), { mode: 0o700 });
      good.set(
        name,
        await startWitness(house.path(name), { name: `${name}.example/w`, logs: [verifierKey] }),
      );
    }
    // Signs what nobody submitted.
    liar = await strangeWitness((cosigner) => (_, response) => {
      response.end(cosigner.cosign("another text\n", 1));
    });
    const down = await strangeWitness(() => (_, response) => response.destroy());
    await down.stop();
    policy = await house.policy(2, [...good.values(), down, liar]);
    [a, b] = await Promise.all([
      house.open({ VOUCHSAFE_WITNESSES: policy }),
      house.open({ VOUCHSAFE_WITNESSES: policy }),
    ]);
  });
  after(async () => {
    await a.close();
    await b.close();
    for (const witness of good.values()) await witness.stop();
    await liar.stop();
    await house.close();
    await stopPostgres();
  });

  async function served({ app, v }: TestNode): Promise<Served> {
    const answer = await app.inject("/log/checkpoint");
    const { size } = openLogCheckpoint(answer.body, parseLogKeys(v.log.verifierKey));
    const { "vouchsafe-witnessed": witnessed } = answer.headers;
    return { note: answer.body, size, witnessed: witnessed as string | undefined };
  }

  /** The checkpoint, when it has got this far. */
  const servedAt = (node: TestNode, size: number, witnessed: string) =>
    until(async () => {
      const checkpoint = await served(node);
      return checkpoint.size >= size && checkpoint.witnessed === witnessed && checkpoint;
    });

  test("both nodes serve a checkpoint that the two good ones cosigned", async () => {
    await growLog(a.v, 20);
    for (const node of [a, b]) {
      const { note, size } = await servedAt(node, 20, "true");
      const names = parseNote(note).signatures.map(({ name }) => name);
      assert.deepEqual(new Set(names), new Set([a.v.log.origin, "ada.example/w", "bob.example/w"]));
      assert.equal(size, 20);
    }
    await growLog(b.v, 40);
    await servedAt(a, 40, "true");
  });

  test("receipts are against the witnessed checkpoint that covers them, and say so", async () => {
    const token = await a.token(["auditor"]);
    const { size: index } = await served(a);
    await growLog(b.v, index + 1);
    const read = async (indexes: readonly number[]) => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await a.app.inject({
        method: "POST",
        url: "/log/receipts",
        headers,
        payload: { indexes },
      });
      return answer.json().receipts;
    };
    const [receipt] = await until(async () => {
      const receipts = await read([index]);
      return receipts[0].witnessed && receipts;
    });
    const { quorum } = witnessesOf(receipt.checkpoint, parseWitnessPolicy(await readFile(policy)));
    assert.ok(quorum);
    openLogCheckpoint(receipt.checkpoint, parseLogKeys(a.v.log.verifierKey));
    assert.ok(receipt.treeSize > index);
  });

  test("a custody file has the witnessed checkpoint that covers its events", async () => {
    const caller = callerWith(a, ["operator"]);
    const artifact = sha256("widget");
    const { receipt } = await openQuarantine(a.v, caller, { artifact, reason: "leak" });
    const { size } = await servedAt(b, receipt.treeSize, "true");
    const demands = { witnesses: parseWitnessPolicy(await readFile(policy)) };
    for (const asOf of [undefined, size]) {
      const pack = await packOf(b.v, caller, artifact, asOf);
      const { ok, log, checks } = verifyPack(pack, a.v.log.verifierKey, demands);
      assert.ok(ok, JSON.stringify(checks));
      assert.equal(log?.size, size);
    }
  });

  test("anybody is told who watches, how far each is, and what is wrong with the others", async () => {
    const { witnesses, witnessedSize, treeSize } = (await a.app.inject("/log/witnesses")).json();
    assert.deepEqual(
      witnesses.map(({ trouble }: { trouble: { what: string } | null }) => trouble?.what ?? null),
      [null, null, "it cannot be reached", "its cosignature is false"],
    );
    assert.ok(witnessedSize <= treeSize);
    assert.equal(witnesses[0].size, witnessedSize);
    assert.equal((await a.app.inject("/readyz")).statusCode, 200, "neither stops the log");
  });

  test("the command line waits for witnessed receipts, and tells how far the witnesses are", async () => {
    const server = await a.app.listen({ port: 0, host: "127.0.0.1" });
    const env = { VOUCHSAFE_SERVER: server, VOUCHSAFE_TOKEN: await a.token(["auditor"]) };
    const $ = (...args: string[]) => vouchsafe(args, { cwd: house.path("."), env });
    const { size } = await served(a);
    await growLog(b.v, size + 1);
    const waited = await $("log", "receipt", `${size}`, "--wait", "20");
    assert.equal(waited.status, 0, waited.stderr);
    assert.equal(JSON.parse(waited.stdout).receipts[0].witnessed, true);
    const told = await $("log", "witnesses");
    assertEnded(
      told,
      0,
      "stdout",
      /^w0 (\d+) of \1, .*\nw2 0 of \1, never\n {2}it cannot be reached.*\nwitnessed: \1\n$/s,
    );
  });

  test("what is kept does not grow with the log", async () => {
    const older = Array.from({ length: 15 }, (_, i) => ({
      size: i + 1,
      checkpoint: "a note",
      published: i === 0,
    }));
    await a.v.database.kysely
      .insertInto("cosigned_checkpoints")
      .values(older)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const { size } = await served(a);
    await growLog(a.v, size + 1);
    await servedAt(a, size + 1, "true");
    const kept = await readCosigned(a.v.database.kysely);
    assert.ok(kept.length <= 10 && kept.length > 1, `${kept.length} are kept`);
  });

  test("the log goes on without its quorum, says so, never goes back, and comes back to it", async () => {
    const wasTold = (what: RegExp) => house.told.some((line) => what.test(line));
    const bob = good.get("bob");
    await bob?.stop();
    await growLog(a.v, 60);
    await sleep(300);
    assert.ok((await served(a)).size < 60, "witnesses are waited for");
    for (const node of [a, b]) node.advance(PATIENCE);
    const without = await servedAt(b, 60, "false");
    assert.equal(without.size, 60);
    await until(async () => wasTold(/witnesses are behind/));

    // By a clock that was put right after the log's times had run ahead nothing is late: how long it took counts.
    const cosigning = {
      database: b.v.database,
      policy: parseWitnessPolicy(await readFile(policy)),
      signers: b.v.log.signers,
    };
    assert.equal(await publishIfBehind(cosigning, 0, () => 0), false);
    assert.equal(await publishIfBehind(cosigning, 0, () => PATIENCE), true);

    const [port, logs] = [Number(new URL(bob?.url ?? "").port), [house.path("log.key")]];
    await writeFile(house.path("log.key"), `${a.v.log.verifierKey}\n`);
    good.set("bob", await startWitness(house.path("bob"), { name: "bob.example/w", logs, port }));
    await growLog(b.v, 70);
    let largest = 0;
    await until(async () => {
      for (const node of [a, b]) {
        const { size, witnessed } = await served(node);
        assert.ok(size >= largest, `${size} was served after ${largest}`);
        largest = size;
        if (size >= 70 && witnessed === "true") return true;
      }
      return false;
    });
    await until(async () => wasTold(/witnesses have caught up/));
  });
});
