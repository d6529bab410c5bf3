import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { verifyLogKeys } from "../../../src/custody/log-keys/verify.ts";
import { verifyReceipt } from "../../../src/custody/receipt.ts";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { readEvents } from "../../../src/db/log.ts";
import { VouchsafeError } from "../../../src/errors.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import type { JsonValue } from "../../../src/in-toto-attestation/types.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import { fsck } from "../../../src/services/log/fsck.ts";
import { requireReady } from "../../../src/services/log/read-log.ts";
import { proveLogKeys, readActiveKeys } from "../../../src/services/log/read-log-keys.ts";
import { watchLogKeys } from "../../../src/services/log/watch-log-keys.ts";
import { ed25519Cosigner } from "../../../src/tlog/cosignature.ts";
import { ed25519Signer } from "../../../src/tlog/note.ts";
import { assertEnded, vouchsafe } from "../../cli/vouchsafe.ts";
import type { TestNode } from "../../http/node.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import { packOf } from "../../support/packs.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";
import { until } from "../witnessing/witness-house.ts";

/** One log whose keys are replaced twice; the steps build on one another and run in their order. */
describe("replacing the log's key", { timeout: 110_000 }, () => {
  let postgres: TestPostgres;
  let house: ReleaseHouse;
  let directory: string;
  /** Nodes in the order in which they started. */
  const nodes: TestNode[] = [];
  /** Verifier keys, oldest first. */
  let k1: string;
  let k2: string;
  let k3: string;
  let firstReceipt: Awaited<ReturnType<typeof push>>;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-log-keys-"));
    postgres = await createPostgres();
    house = await openReleaseHouse(postgres);
  });
  after(async () => {
    await house.close();
    await rm(directory, { recursive: true });
    await postgres.drop();
    await stopPostgres();
  });

  async function start(
    files: readonly string[],
    retires?: string,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<TestNode> {
    const node = await house.open({
      ...settings,
      VOUCHSAFE_LOG_KEY_FILE: files.map((file) => join(directory, file)).join(","),
      ...(retires !== undefined && { VOUCHSAFE_RETIRE_LOG_KEY: retires.split("+", 2).join("+") }),
    });
    nodes.push(node);
    return node;
  }

  /** Which node submits checkpoints to the witnesses. */
  async function turnOf({ v }: TestNode): Promise<string | null> {
    const lease = v.database.kysely.selectFrom("witness_lease").select("holder");
    return (await lease.executeTakeFirstOrThrow()).holder;
  }

  async function push(node: TestNode) {
    const artifact = { name: "widget", bytes: randomBytes(32) };
    const bytes = await house.sigstore.signStatement(slsaProvenance([artifact]));
    const { receipt } = await pushAttestation(node.v, callerWith(node, ["uploader"]), { bytes });
    const [event = assert.fail()] = await readEvents(node.v.database.kysely, node.v.project, [receipt.index]);
    return { receipt, leaf: event.leaf, digest: sha256(artifact.bytes) };
  }

  async function served(node: TestNode): Promise<JsonValue> {
    return (await node.app.inject("/log/keys")).json();
  }

  test("a second key file adds a key: receipts are signed with both, and a node without it stands back", async () => {
    // Nobody answers there; it is its turn to ask all the same.
    const witness = ed25519Cosigner("ada.example/w", generateKeyPairSync("ed25519").privateKey);
    await writeFile(
      join(directory, "witnesses"),
      `witness ada ${witness.verifierKey} http://127.0.0.1:9\nquorum ada\n`,
    );
    const early = await start(["k1.pem"], undefined, { VOUCHSAFE_WITNESSES: join(directory, "witnesses") });
    await until(async () => (await turnOf(early)) !== null);
    [k1 = ""] = await readActiveKeys(early.v);
    firstReceipt = await push(early);
    const both = await start(["k1.pem", "k2.pem"]);
    [, k2 = ""] = await readActiveKeys(both.v);
    assert.equal((await both.app.inject("/log/key")).body, `${k1}\n${k2}\n`);

    const { receipt, leaf, digest } = await push(both);
    const pack = await packOf(both.v, callerWith(both, ["auditor"]), digest);
    for (const known of [k1, k2, `${k1}\n${k2}\n`]) {
      const report = verifyPack(pack, known);
      assert.ok(report.ok);
      const told = report.checks.some(({ statement }) => statement.includes("signatures of other keys"));
      assert.equal(told, !known.includes("\n"));
      verifyReceipt(leaf, receipt, known);
      assert.deepEqual((await fsck(both.v.database, { logKeys: known })).findings, []);
    }

    const { digest: older, receipt: before } = firstReceipt;
    const again = (node: TestNode) => packOf(node.v, callerWith(node, ["auditor"]), older, before.treeSize);
    assert.ok(verifyPack(await again(both), k2).ok, "older sizes are signed by the keys of today");
    await assert.rejects(again(early), { code: "log-key-mismatch" });

    await assert.rejects(push(early), { code: "log-key-mismatch" });
    await watchLogKeys(early.v);
    assert.throws(() => requireReady(early.v), { code: "log-key-mismatch" });
    const { statusCode, body } = await early.app.inject("/readyz");
    assert.equal(statusCode, 503);
    assert.match(JSON.parse(body).detail, /VOUCHSAFE_LOG_KEY_FILE/);
    assert.equal((await both.app.inject("/readyz")).statusCode, 200);
    await assert.rejects(start(["k1.pem"]), { code: "configuration-invalid" });
  });

  test("a node finds out by itself that it lags, and leaves the witnesses to those that do not", async () => {
    const [early = assert.fail()] = nodes;
    early.v.obstacles.clear();
    await until(async () => early.v.obstacles.size > 0 && (await turnOf(early)) === null);
  });

  test("the old key is retired; what it signed holds under it, and what is signed now under the new one", async () => {
    const node = await start(["k1.pem", "k2.pem"], k1);
    assert.deepEqual(await readActiveKeys(node.v), [k2]);
    const { receipt, leaf } = await push(node);
    verifyReceipt(leaf, receipt, k2);
    assert.throws(() => verifyReceipt(leaf, receipt, k1), { code: "malformed-checkpoint" });
    verifyReceipt(firstReceipt.leaf, firstReceipt.receipt, k1);
    await assert.rejects(start(["k1.pem", "k2.pem"]), { code: "configuration-invalid" });
  });

  test("who knows a key of any time is led to those that are active", async () => {
    const node = await start(["k2.pem", "k3.pem"]);
    [, k3 = ""] = await readActiveKeys(node.v);
    for (const known of [k1, k2, k3]) {
      const { keys } = verifyLogKeys(await served(node), known);
      assert.deepEqual(
        keys.map(({ verifierKey, retired }) => [verifierKey, retired === undefined]),
        [
          [k1, false],
          [k2, true],
          [k3, true],
        ],
      );
    }
    const last = await start(["k2.pem", "k3.pem"], k2);
    for (const known of [k1, k2, k3]) verifyLogKeys(await served(last), known);
    assert.deepEqual((await fsck(last.v.database, { logKeys: k3 })).findings, []);
    assert.equal((await fsck(last.v.database, { logKeys: k1 })).count, 1);
  });

  test("a proof that was changed anywhere proves nothing else, and a stranger's key nothing at all", async () => {
    const node = nodes.at(-1) ?? assert.fail();
    const text = JSON.stringify(await served(node));
    const told = (answer: JsonValue) =>
      verifyLogKeys(answer, k1).keys.map(({ verifierKey, retired }) => [verifierKey, retired?.index]);
    const right = told(JSON.parse(text));
    let refusals = 0;
    for (let at = 0; at < text.length; at += 7) {
      const character = text[at] === "A" ? "B" : "A";
      const changed = `${text.slice(0, at)}${character}${text.slice(at + 1)}`;
      try {
        assert.deepEqual(told(JSON.parse(changed)), right, `changed at ${at}`);
      } catch (error) {
        assert.ok(error instanceof VouchsafeError || error instanceof SyntaxError, String(error));
        refusals += 1;
      }
    }
    assert.ok(refusals > text.length / 14);

    const { privateKey } = generateKeyPairSync("ed25519");
    const stranger = ed25519Signer(node.v.log.origin, privateKey).verifierKey;
    assert.throws(() => verifyLogKeys(JSON.parse(text), stranger), { code: "proof-invalid" });
  });

  test("a change of keys that is kept back is noticed, and so is an answer that is none", async () => {
    const node = nodes.at(-1) ?? assert.fail();
    const { events, ...rest } = await proveLogKeys(node.v);
    assert.equal(events.length, 5);
    for (const hidden of [0, 1, 2, 3, 4]) {
      const answer = { ...rest, events: events.filter((_, i) => i !== hidden) } as unknown as JsonValue;
      for (const known of [k1, k2, k3].slice(0, hidden < 2 ? 1 : 3))
        assert.throws(() => verifyLogKeys(answer, known), VouchsafeError, `event ${hidden} to ${known}`);
    }
    for (const answer of [null, [], {}, { checkpoint: rest.checkpoint, events: [null] }])
      assert.throws(() => verifyLogKeys(answer as JsonValue, k1), { code: "proof-invalid" });
  });

  test("the command line moves a reader over", async () => {
    const node = nodes.at(-1) ?? assert.fail();
    await writeFile(join(directory, "old.key"), `${k1}\n`);
    const server = await node.app.listen({ port: 0 });
    const key = (...args: readonly string[]) =>
      vouchsafe(["log", "key", ...args], { cwd: directory, env: { VOUCHSAFE_SERVER: server } });
    const moved = await key("--trusted", "old.key");
    assert.deepEqual([moved.status, moved.stdout], [0, `${k3}\n`], moved.stderr);
    assert.match(moved.stderr, /: added by event 0, was retired by event \d+$/m);
    assert.equal((await key()).stdout, `${k3}\n`);
    assert.equal((await key("--trusted", `${k2}\n${k1}`)).stdout, `${k3}\n`);
    const { stdout } = await key("--json", "--trusted", k2);
    assert.deepEqual(JSON.parse(stdout).verifierKeys, [k3]);
    const { privateKey } = generateKeyPairSync("ed25519");
    const stranger = ed25519Signer(node.v.log.origin, privateKey).verifierKey;
    assertEnded(await key("--trusted", stranger), 1, "stderr", /no key that is trusted vouches/);
  });
});
