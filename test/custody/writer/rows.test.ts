import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, it } from "node:test";
import type { ProjectId } from "../../../src/custody/events.ts";
import type { Writer } from "../../../src/custody/writer.ts";
import type { Database } from "../../../src/db/connection.ts";
import { readDecisionInputs, readEvaluationInputs } from "../../../src/db/decision-inputs.ts";
import { findEvidence, subjectsOfAttestation } from "../../../src/db/evidence.ts";
import { readChain, readEventsFrom, readHead, tileReader } from "../../../src/db/log.ts";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";
import { treeRoot } from "../../../src/tlog/proofs.ts";
import { forEachDatabase } from "../../support/databases.ts";
import { openLogNode, testSigner } from "../../support/log-node.ts";
import {
  ACCEPTED_AT,
  acceptedEvent,
  committed,
  digestOf,
  PROJECT,
  policyActivated,
  pushProposal,
  verdictEvent,
} from "../../support/pushes.ts";

forEachDatabase("what the writer stores", (create) => {
  let database: Database;
  let node: Awaited<ReturnType<typeof openLogNode>>;
  let writer: Writer;
  const sizeNow = async () => (await readHead(database.kysely)).size;

  before(async () => {
    const test = await create();
    database = await test.open();
    node = await openLogNode({ database, dataDir: test.dataDir, signer: testSigner() });
    writer = node.writer;
  });
  after(() => node.close());

  const verdictsOf = async (artifact: Digest) =>
    (await readDecisionInputs(database.kysely, PROJECT, artifact)).verdicts;

  it("moves a confirmed verdict's row without an event", async () => {
    const artifact = digestOf("confirmed");
    committed(await writer.append(pushProposal(artifact, await sizeNow())));
    const asOf = await sizeNow();
    const [verdict] = await verdictsOf(artifact);
    assert.ok(verdict);
    const confirmation = { ...verdict, policyHash: digestOf("edited") };
    const heard: string[] = [];
    const stop = writer.onCommitted((_from, _to, touched) => heard.push(...touched.map(({ key }) => key)));
    const appended = committed(
      await writer.append({
        project: PROJECT,
        asOf,
        restsOn: [artifact],
        events: [],
        confirmations: [confirmation],
      }),
    );
    stop();
    assert.deepEqual(heard, [artifact]);
    assert.deepEqual({ events: appended.events, size: await sizeNow() }, { events: [], size: asOf });
    assert.deepEqual(await verdictsOf(artifact), [{ ...confirmation, asOf }]);
  });

  it("leaves the newer verdict where a confirmation shares its batch", async () => {
    const artifact = digestOf("confirmed beside");
    committed(await writer.append(pushProposal(artifact, await sizeNow())));
    const asOf = await sizeNow();
    const [verdict] = await verdictsOf(artifact);
    assert.ok(verdict);
    const confirmation = { ...verdict, policyHash: digestOf("edited") };
    const [, pushed] = await Promise.all([
      writer.append({
        project: PROJECT,
        asOf,
        restsOn: [artifact],
        events: [],
        confirmations: [confirmation],
      }),
      writer.append(pushProposal(artifact, asOf)),
    ]);
    const newest = committed(pushed).events.at(-1)?.index;
    assert.deepEqual(
      (await verdictsOf(artifact)).map(({ index, asOf }) => ({ index, asOf })),
      [{ index: newest, asOf: newest }],
    );
  });

  it("keeps what an attacker put into a name apart from what rows can hold", async () => {
    const artifact = digestOf("nul");
    const id = digestOf("nul evidence");
    const event = acceptedEvent(artifact, id);
    const events = [
      { ...event, body: { ...event.body, subjects: [{ name: "a\0b\\u0000", digests: [artifact] }] } },
    ];
    committed(await writer.append({ project: PROJECT, asOf: await sizeNow(), restsOn: [artifact], events }));
    const [subject] = await subjectsOfAttestation(database.kysely, PROJECT, id);
    assert.equal(subject?.name, "a\ufffdb\\u0000");
    const [logged] = await readChain(database.kysely, PROJECT, artifact);
    assert.equal(
      JSON.stringify(logged?.body.subjects),
      JSON.stringify([{ digests: [artifact], name: "a\0b\\u0000" }]),
    );
  });

  it("stores evidence and documents with the bytes that were given", async () => {
    const artifact = digestOf("bytes");
    const bytes = Uint8Array.from({ length: 3_000 }, (_, i) => i % 256);
    committed(await writer.append(pushProposal(artifact, await sizeNow(), { evidence: bytes })));
    const found = await findEvidence(database.kysely, PROJECT, digestOf(bytes));
    assert.ok(found && "bytes" in found);
    assert.deepEqual(found.bytes, bytes);
  });

  it("stores a tree whose tiles lead to the head's root, across tile borders", async () => {
    const asOf = await sizeNow();
    const artifacts = Array.from({ length: 400 }, (_, i) => digestOf(`tile ${i}`));
    await Promise.all(
      artifacts.map((artifact) =>
        writer.append(pushProposal(artifact, asOf, { evidence: Buffer.from(artifact) })),
      ),
    );
    const head = await readHead(database.kysely);
    assert.ok(head.size > 3 * 256);
    assert.deepEqual(
      Buffer.from(await treeRoot(tileReader(database.kysely), head.size)),
      Buffer.from(head.root),
    );
    const events = await readEventsFrom(database.kysely, 0, head.size + 1);
    assert.deepEqual(
      events.map(({ index }) => index),
      Array.from({ length: head.size }, (_, i) => i),
    );
  });

  it("gives evaluations one snapshot of what they rest on", async () => {
    const [artifact, unknown] = [digestOf("inputs"), digestOf("unknown")];
    const project = randomUUID() as ProjectId;
    const set = digestOf("inputs set");
    committed(await writer.append({ project, asOf: 0, restsOn: [], events: [policyActivated(set)] }));
    const evidence = Buffer.from("inputs evidence");
    const asOf = await sizeNow();
    const { events, size } = committed(
      await writer.append(pushProposal(artifact, asOf, { project, evidence })),
    );
    const inputs = await readEvaluationInputs(database.kysely, project, [artifact, unknown]);
    assert.equal(inputs.size, size);
    assert.equal(inputs.policies?.policySet, set);
    assert.equal(inputs.trust, undefined);
    assert.deepEqual(
      inputs.attestations,
      new Map([
        [artifact, [{ id: digestOf(evidence), size: evidence.length, verifiedAt: ACCEPTED_AT }]],
        [unknown, []],
      ]),
    );
    assert.equal(inputs.verdicts.get(artifact)?.[0]?.index, events[1]?.index);
  });

  it("lets a verdict replace the one before it", async () => {
    const artifact = digestOf("replaced");
    const evidence = Buffer.from("replaced evidence");
    committed(await writer.append(pushProposal(artifact, await sizeNow(), { evidence })));
    const events = [verdictEvent(artifact, digestOf(evidence), "verdict.failed")];
    const asOf = await sizeNow();
    committed(await writer.append({ project: PROJECT, asOf, restsOn: [artifact], events }));
    const verdicts = await verdictsOf(artifact);
    assert.deepEqual(
      verdicts.map(({ outcome, index }) => ({ outcome, index })),
      [{ outcome: "failed", index: asOf }],
    );
  });
});
