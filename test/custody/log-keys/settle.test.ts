import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { INSTALLATION, PROJECT_CHAIN } from "../../../src/custody/events.ts";
import { openFarewell } from "../../../src/custody/log-keys/farewell.ts";
import { activeKeys, logKeysOf } from "../../../src/custody/log-keys/history.ts";
import { settleLogKeys } from "../../../src/custody/log-keys/settle.ts";
import { signTree } from "../../../src/custody/log-signers.ts";
import { CommitUnknown, type LogStore } from "../../../src/custody/log-store.ts";
import type { Receipt } from "../../../src/custody/receipt.ts";
import { openDatabase } from "../../../src/db/connection.ts";
import { readChain, readHead } from "../../../src/db/log.ts";
import { createLogStore } from "../../../src/db/log-store.ts";
import { VouchsafeError } from "../../../src/errors.ts";
import { openLogCheckpoint, parseLogKeys } from "../../../src/tlog/log-keys.ts";
import { ed25519Signer, type NoteSigner, parseNote } from "../../../src/tlog/note.ts";
import { keyLabel } from "../../../src/tlog/verifier-key.ts";
import { type LogNodeOptions, openLogNode, testSigner } from "../../support/log-node.ts";
import { createPostgres, stopPostgres } from "../../support/postgres.ts";
import { committed, digestOf, pushProposal } from "../../support/pushes.ts";

const refused = { code: "configuration-invalid" };

describe("the keys of a log", () => {
  let dataDir: string;
  const cleanUps: (() => Promise<unknown>)[] = [];
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "vouchsafe-log-keys-"));
  });
  after(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
    await rm(dataDir, { recursive: true });
    await stopPostgres();
  });

  let nodes = 0;
  /** A log of its own, and nodes on it. */
  async function newLog() {
    const postgres = await createPostgres();
    cleanUps.push(() => postgres.drop());
    const database = await openDatabase({ ...postgres, dataDir });
    cleanUps.push(() => database.close());
    const wide = () => readChain(database.kysely, INSTALLATION, PROJECT_CHAIN);
    return {
      store: createLogStore(database),
      head: () => readHead(database.kysely),
      wide,
      types: async () => (await wide()).map(({ type }) => type),
      active: async () => activeKeys(logKeysOf(await wide())).map(({ verifierKey }) => verifierKey),
      /** Starts a node with these keys. */
      async start(keys: readonly NoteSigner[], options: Partial<LogNodeOptions> = {}) {
        const [signer = assert.fail(), ...others] = keys;
        nodes += 1;
        const node = await openLogNode({
          database,
          dataDir,
          signer,
          others,
          name: `node ${nodes}`,
          ...options,
        });
        cleanUps.push(() => node.close());
        const push = async (name: string) => {
          const { size } = await readHead(database.kysely);
          return node.writer.append(pushProposal(digestOf(name), size));
        };
        return { ...node, push };
      },
    };
  }

  const open = (checkpoint: string, ...keys: readonly NoteSigner[]) =>
    openLogCheckpoint(checkpoint, parseLogKeys(keys.map(({ verifierKey }) => verifierKey).join("\n")));
  const verifierKeys = (...keys: readonly NoteSigner[]) => keys.map(({ verifierKey }) => verifierKey);

  test("one that is added signs beside the old one until that is retired, and readers of either go on", async () => {
    const [first, second] = [testSigner(), testSigner()];
    const log = await newLog();
    await log.start([first]);

    const both = await log.start([first, second]);
    assert.deepEqual(await log.types(), ["log.created", "log-key.added"]);
    const receipt = committed(await both.push("both")).events[0]?.receipt ?? assert.fail();
    for (const checkpoint of [(await log.head()).checkpoint, receipt.checkpoint]) {
      for (const known of [[first], [second], [first, second]])
        assert.equal(open(checkpoint, ...known).others.length, 2 - known.length);
    }

    const overlapping = await log.head();
    const later = await log.start([first, second], { retires: keyLabel(first) });
    await later.push("later");
    const { checkpoint, size } = await log.head();
    assert.deepEqual(open(checkpoint, second).others, []);
    assert.throws(() => open(checkpoint, first), { code: "malformed-checkpoint" });
    const retired = (await log.wide()).at(-1);
    assert.equal(retired?.type, "log-key.retired");
    const farewell = openFarewell(String(retired?.body.checkpoint), parseLogKeys(first.verifierKey));
    assert.deepEqual([...farewell.staying], [keyLabel(second)]);
    assert.deepEqual(
      { ...farewell.tree, others: [] },
      open(overlapping.checkpoint, first, second),
      "the last that the first key signed",
    );

    // What was obeyed does nothing more.
    for (const keys of [[second], [first, second]]) await log.start(keys, { retires: keyLabel(first) });
    assert.equal((await log.head()).size, size);
    await assert.rejects(log.start([first, second]), refused, "nobody retires it any more");
  });

  test("a node that lags behind them adds nothing and does no harm, whichever way they changed", async () => {
    const [first, second] = [testSigner(), testSigner()];
    const log = await newLog();
    const early = await log.start([first]);
    const both = await log.start([first, second]);
    const added = await log.head();
    const late = await Promise.allSettled([early.push("late"), early.push("late too")]);
    for (const answer of late)
      assert.equal(answer.status === "rejected" && answer.reason.code, "log-key-mismatch");
    assert.deepEqual(await log.head(), added);
    committed(await both.push("both"));

    await log.start([second], { retires: keyLabel(first) });
    const retired = await log.head();
    await assert.rejects(both.push("a retired key"), { code: "log-key-mismatch" });
    await assert.rejects(early.push("still late"), { code: "log-key-mismatch" });
    assert.deepEqual(await log.head(), retired);
    committed(await (await log.start([second])).push("up to date"));
  });

  test("make the same bytes of one tree on every node, in whatever order they are configured", async () => {
    const [first, second, third] = [testSigner(), testSigner(), testSigner()];
    const log = await newLog();
    const starts = await Promise.all([
      log.start([first, second, third]),
      log.start([first, second, third]),
      log.start([first, third, second]),
    ]);
    // Nodes that start at once write each event once.
    const types = await log.types();
    assert.deepEqual(types, ["log.created", "log-key.added", "log-key.added"]);
    const one = await log.start([third, second, third, first]);
    const { checkpoint, ...head } = await log.head();
    for (const { signers } of [...starts, one]) assert.equal(signTree(head, signers), checkpoint);
    assert.deepEqual(verifierKeys(...one.signers.signers), await log.active());
  });

  test("are refused where they do not fit, and the log stays as it is", async () => {
    const [first, second, stranger] = [testSigner(), testSigner(), testSigner()];
    const log = await newLog();
    await log.start([first]);
    await assert.rejects(log.start([stranger]), refused, "another key");
    await assert.rejects(log.start([second], { retires: keyLabel(first) }), refused, "the last one");
    await assert.rejects(log.start([first], { retires: keyLabel(stranger) }), refused, "a key of no log");
    await log.start([first, second]);
    const { size } = await log.head();
    await assert.rejects(log.start([first]), refused, "one is lacking");
    await assert.rejects(log.start([second]), refused, "one is lacking, and was not named");
    await assert.rejects(log.start([first, stranger]), refused, "one is lacking, and another is new");
    await assert.rejects(log.start([stranger], { retires: keyLabel(first) }), refused, "no active one");
    const elsewhere = ed25519Signer("elsewhere.test/log", generateKeyPairSync("ed25519").privateKey);
    await assert.rejects(log.start([elsewhere]), { code: "log-inconsistent" });
    assert.equal((await log.head()).size, size);

    await log.start([second], { retires: keyLabel(first) });
    await assert.rejects(log.start([first, second]), refused, "it is retired for ever");
    assert.equal(
      (await log.wide()).at(-1)?.body.checkpoint,
      undefined,
      "its file was not there to sign with",
    );
    assert.deepEqual(await log.active(), verifierKeys(second));
  });

  test("leave nothing behind by which a retired one could not vouch for those that stay", async () => {
    const [first, second] = [testSigner(), testSigner()];
    const log = await newLog();
    await log.start([first]);
    const { checkpoint: earlier } = await log.head();
    await log.start([first, second]);
    const { checkpoint } = await log.head();
    const [origin = "", size, root, , , secondLine] = checkpoint.split("\n");
    // What an administrator of the database might put there: of an older tree, not signed by the key, or none.
    for (const note of [earlier, [origin, size, root, "", secondLine, ""].join("\n"), ""]) {
      const settling = settleLogKeys(
        {
          readWide: log.wide,
          readHead: async () => ({ ...(await log.head()), checkpoint: note }),
          openWriter: () => assert.fail("nothing is to be written"),
        },
        { origin, signers: [first, second], retires: keyLabel(first) },
      );
      await assert.rejects(settling, { code: "log-key-mismatch" });
    }
    await log.start([first, second], { retires: keyLabel(first) });
    const { tree } = openFarewell(
      String((await log.wide()).at(-1)?.body.checkpoint),
      parseLogKeys(first.verifierKey),
    );
    assert.equal(tree.size, Number(size));
  });

  test("go on from wherever a start was interrupted", async () => {
    const [first, second, third] = [testSigner(), testSigner(), testSigner()];
    for (const answerLost of [false, true]) {
      const log = await newLog();
      /** As many transactions succeed; then the node is gone, before a commit or before it heard of it. */
      const dying = (steps: number): LogStore => ({
        ...log.store,
        async locked(run) {
          steps -= 1;
          if (steps < -1) throw new CommitUnknown();
          if (steps < 0 && !answerLost) throw new VouchsafeError("unavailable", "gone");
          const result = await log.store.locked(run);
          if (steps < 0) throw new CommitUnknown();
          return result;
        },
      });
      for (const steps of answerLost ? [0, 0, 0] : [0, 1, 1]) {
        const start = log.start([first, second, third], { store: dying(steps), limits: { patience: 0 } });
        await assert.rejects(start, { code: "unavailable" });
      }
      await log.start([first, second, third]);
      assert.deepEqual(await log.active(), verifierKeys(first, second, third));
      const retire = { retires: keyLabel(first) };
      const start = log.start([second, third], { ...retire, store: dying(0), limits: { patience: 0 } });
      await assert.rejects(start, { code: "unavailable" });
      await log.start([second, third], retire);
      assert.deepEqual(await log.active(), verifierKeys(second, third));
      assert.equal((await log.types()).length, 4);
    }
  });

  test("sign each size in one way while nodes append and the keys change under them", async () => {
    const [first, second] = [testSigner(), testSigner()];
    const log = await newLog();
    const receipts: Receipt[] = [];
    /** Appends until the node's keys are the log's no more. */
    async function work({ push }: Awaited<ReturnType<typeof log.start>>, name: string): Promise<void> {
      for (let i = 0; ; i += 1) {
        try {
          receipts.push(...committed(await push(`${name} ${i}`)).events.map(({ receipt }) => receipt));
        } catch (error) {
          if (error instanceof VouchsafeError && error.code === "log-key-mismatch") return;
          throw error;
        }
      }
    }
    const early = await Promise.all([log.start([first]), log.start([first])]);
    const working = early.map((node, i) => work(node, `early ${i}`));
    const both = await Promise.all([log.start([first, second]), log.start([second, first])]);
    working.push(...both.map((node, i) => work(node, `both ${i}`)));
    await both[0].push("before the old key goes");
    const retiring = { retires: keyLabel(first) };
    await Promise.all([log.start([second], retiring), log.start([second], retiring)]);
    await Promise.all(working);
    assert.deepEqual(await log.active(), verifierKeys(second));

    const wide = await log.wide();
    const bySize = new Map<number, string>();
    for (const { treeSize, checkpoint } of receipts) {
      assert.equal(bySize.get(treeSize) ?? checkpoint, checkpoint);
      bySize.set(treeSize, checkpoint);
      const then = activeKeys(logKeysOf(wide.filter(({ index }) => index < treeSize)));
      assert.deepEqual(
        parseNote(checkpoint).signatures.map(keyLabel),
        then.map(({ label }) => label),
      );
    }
    assert.ok(bySize.size > 3);
  });
});
