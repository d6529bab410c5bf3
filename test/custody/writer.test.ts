import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, it } from "node:test";
import { INSTALLATION, type ProjectId } from "../../src/custody/events.ts";
import type { LogStore } from "../../src/custody/log-store.ts";
import { verifyReceipt } from "../../src/custody/receipt.ts";
import type { Writer } from "../../src/custody/writer.ts";
import type { Database } from "../../src/db/connection.ts";
import { readChain, readEventsFrom, readHead } from "../../src/db/log.ts";
import { createLogStore } from "../../src/db/log-store.ts";
import { forEachDatabase, type TestDatabase } from "../support/databases.ts";
import { openLogNode, testSigner } from "../support/log-node.ts";
import {
  acceptedEvent,
  committed,
  digestOf,
  PROJECT,
  policyActivated,
  pushProposal,
} from "../support/pushes.ts";

forEachDatabase("the writer", (create) => {
  const signer = testSigner();
  let test: TestDatabase;
  let database: Database;
  let node: Awaited<ReturnType<typeof openLogNode>>;
  let writer: Writer;
  const sizeNow = async () => (await readHead(database.kysely)).size;

  before(async () => {
    test = await create();
    database = await test.open();
    node = await openLogNode({ database, dataDir: test.dataDir, signer });
    writer = node.writer;
  });
  after(() => node.close());

  it("gives a receipt for each event that proves it to be in the log", async () => {
    const artifact = digestOf("receipt");
    const { events: appended, size } = committed(
      await writer.append(pushProposal(artifact, await sizeNow())),
    );
    const events = await readChain(database.kysely, PROJECT, artifact);
    assert.deepEqual(
      events.map(({ type, previous }) => ({ type, previous })),
      [
        { type: "evidence.accepted", previous: [null] },
        { type: "verdict.passed", previous: [appended[0]?.index] },
      ],
    );
    for (const [i, { receipt, index }] of appended.entries()) {
      assert.equal(index, events[i]?.index);
      assert.equal(receipt.durable, test.kind === "postgres");
      assert.equal(
        verifyReceipt(events[i]?.leaf ?? new Uint8Array(), receipt, signer.verifierKey).size,
        size,
      );
    }
  });

  it("finds a proposal stale when a chain that it rests on moved after it was made", async () => {
    const artifact = digestOf("stale");
    const asOf = await sizeNow();
    committed(await writer.append(pushProposal(artifact, asOf)));
    assert.equal((await writer.append(pushProposal(artifact, asOf))).outcome, "stale");
    assert.equal((await readChain(database.kysely, PROJECT, artifact)).length, 2);
    committed(await writer.append(pushProposal(artifact, await sizeNow())));
  });

  it("finds the second of two in one batch stale, and lets the others through", async () => {
    const [same, other] = [digestOf("same batch"), digestOf("other in batch")];
    const asOf = await sizeNow();
    const answers = await Promise.all(
      [same, same, other].map((digest) => writer.append(pushProposal(digest, asOf))),
    );
    assert.deepEqual(
      answers.map(({ outcome }) => outcome),
      ["committed", "stale", "committed"],
    );
    assert.equal(new Set(answers.map(({ size }) => size)).size, 1, "they were one batch");
  });

  it("lets a wide event make stale only what rests on the project's own chain", async () => {
    const [project, elsewhere] = [randomUUID() as ProjectId, randomUUID() as ProjectId];
    const asOf = await sizeNow();
    committed(
      await writer.append({ project, asOf, restsOn: ["*"], events: [policyActivated(digestOf("set"))] }),
    );
    const artifact = digestOf("wide");
    assert.equal((await writer.append(pushProposal(artifact, asOf, { project }))).outcome, "stale");
    committed(await writer.append(pushProposal(artifact, asOf, { project: elsewhere })));
    committed(await writer.append({ ...pushProposal(artifact, asOf, { project }), restsOn: [artifact] }));
  });

  it("refuses a proposal that was made from a longer log than this one", async () => {
    const later = (await sizeNow()) + 1;
    assert.equal((await writer.append(pushProposal(digestOf("later"), later))).outcome, "stale");
  });

  it("lets one bad proposal of a batch fail alone", async () => {
    const asOf = await sizeNow();
    const good = pushProposal(digestOf("good"), asOf);
    const again = { ...pushProposal(digestOf("accepted twice"), asOf), evidence: good.evidence };
    const twice = {
      ...again,
      events: [acceptedEvent(digestOf("accepted twice"), good.evidence?.id ?? digestOf(""))],
    };
    const [first, second, third] = await Promise.allSettled([
      writer.append(good),
      writer.append(twice as typeof good),
      writer.append(pushProposal(digestOf("good too"), asOf)),
    ]);
    assert.equal(first.status, "fulfilled");
    assert.equal(second.status === "rejected" && second.reason.code, "conflict");
    assert.equal(third.status, "fulfilled");
    assert.deepEqual(await readChain(database.kysely, PROJECT, digestOf("accepted twice")), []);
  });

  it("slows few down by the one that fails", async () => {
    const store = createLogStore(database);
    let transactions = 0;
    const counting: LogStore = {
      ...store,
      locked(run) {
        transactions += 1;
        return store.locked(run);
      },
    };
    const counted = await openLogNode({
      database,
      dataDir: test.dataDir,
      name: "counted",
      signer,
      store: counting,
    });
    const body = {
      digest: digestOf("bad"),
      size: 1,
      code: "signature-invalid",
      trust: digestOf("t"),
      caller: "tok",
    };
    const rejection = { type: "evidence.rejected", about: [], body } as const;
    const asOf = await sizeNow();
    transactions = 0;
    const answers = await Promise.allSettled(
      Array.from({ length: 64 }, (_, i) =>
        i === 20 || i === 40
          ? counted.writer.append({ project: PROJECT, asOf, restsOn: [], events: [rejection] })
          : counted.writer.append(pushProposal(digestOf(`beside a bad one ${i}`), asOf)),
      ),
    );
    await counted.close();
    assert.equal(answers.filter(({ status }) => status === "rejected").length, 1);
    assert.ok(transactions <= 16, `${transactions} transactions`);
  });

  it("refuses an event that joins too many chains before anything is locked", async () => {
    const about = Array.from({ length: 4_097 }, (_, i) => digestOf(`many ${i}`));
    const events = [{ ...policyActivated(digestOf("many")), about }];
    await assert.rejects(writer.append({ project: PROJECT, asOf: 0, restsOn: [], events }), {
      code: "too-many-items",
    });
  });

  it("never lets time run backwards", async () => {
    const earlier = await openLogNode({
      database,
      dataDir: test.dataDir,
      name: "slow clock",
      signer,
      clock: () => 1_000,
    });
    const before = await readHead(database.kysely);
    const { events } = committed(await earlier.writer.append(pushProposal(digestOf("time"), before.size)));
    await earlier.close();
    assert.equal(events[0]?.time, before.time);
  });

  it("holds only so much in its queue", async () => {
    const limits = { queue: 2 };
    const small = await openLogNode({ database, dataDir: test.dataDir, name: "small", signer, limits });
    const asOf = await sizeNow();
    const answers = await Promise.allSettled(
      [0, 1, 2].map((i) => small.writer.append(pushProposal(digestOf(`queued ${i}`), asOf))),
    );
    assert.deepEqual(
      answers.map((answer) => (answer.status === "fulfilled" ? answer.value.outcome : answer.reason.code)),
      ["committed", "committed", "unavailable"],
    );
    await small.close();
    await assert.rejects(small.writer.append(pushProposal(digestOf("closed"), asOf)), {
      code: "unavailable",
    });
  });

  it("has what stops a project wait in no line of the project's", async () => {
    const limits = { queue: 2 };
    const small = await openLogNode({ database, dataDir: test.dataDir, name: "stopped", signer, limits });
    const asOf = await sizeNow();
    const flood = [0, 1, 2].map((i) => pushProposal(digestOf(`flood ${i}`), asOf));
    const stop = { ...pushProposal(digestOf("stop"), asOf), turnOf: INSTALLATION };
    const answers = await Promise.allSettled([...flood, stop].map((one) => small.writer.append(one)));
    assert.deepEqual(
      answers.map((answer) => (answer.status === "fulfilled" ? answer.value.outcome : answer.reason.code)),
      ["committed", "committed", "unavailable", "committed"],
    );
    await small.close();
  });

  it("begins the log with one log.created however many nodes start, and refuses another key", async () => {
    const starts = await Promise.all(
      [1, 2, 3].map((i) => openLogNode({ database, dataDir: test.dataDir, name: `start ${i}`, signer })),
    );
    await Promise.all(starts.map((node) => node.close()));
    const created = (await readEventsFrom(database.kysely, 0, 5_000)).filter(
      ({ type }) => type === "log.created",
    );
    assert.deepEqual(
      created.map(({ index }) => index),
      [0],
    );
    const other = openLogNode({ database, dataDir: test.dataDir, name: "other", signer: testSigner() });
    await assert.rejects(other, { code: "configuration-invalid" });
  });

  it("logs no second log.created", async () => {
    const events = [{ type: "log.created", about: [], body: {} } as const];
    const append = writer.append({ project: PROJECT, asOf: await sizeNow(), restsOn: [], events });
    await assert.rejects(append, { code: "conflict" });
  });
});
