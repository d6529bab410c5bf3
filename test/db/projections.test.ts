import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, it } from "node:test";
import type { ChainKey, EventDraft, ProjectId } from "../../src/custody/events.ts";
import type { Writer } from "../../src/custody/writer.ts";
import { activeTrust } from "../../src/db/activations.ts";
import type { Database } from "../../src/db/connection.ts";
import { readDecisionInputs } from "../../src/db/decision-inputs.ts";
import { readDocument, searchAttestations } from "../../src/db/evidence.ts";
import { standingExceptions } from "../../src/db/exceptions.ts";
import { readHead } from "../../src/db/log.ts";
import { suspendedProjects } from "../../src/db/projects.ts";
import { findQuarantine, openQuarantines } from "../../src/db/quarantines.ts";
import { findRejection, rejectionsBy } from "../../src/db/rejections.ts";
import { findRevocation, readRevocationsAsOf, standingRevocations } from "../../src/db/revocations.ts";
import { forEachDatabase } from "../support/databases.ts";
import { openLogNode, testSigner } from "../support/log-node.ts";
import { acceptedEvent, digestOf, PROJECT, pushProposal, verdictEvent } from "../support/pushes.ts";

const [FIRST, SECOND, THIRD] = [digestOf("trust 1"), digestOf("trust 2"), digestOf("trust 3")];

forEachDatabase("state that follows from the log", (create) => {
  let database: Database;
  let node: Awaited<ReturnType<typeof openLogNode>>;
  let append: (events: readonly EventDraft[], project?: ProjectId) => ReturnType<Writer["append"]>;

  before(async () => {
    const test = await create();
    database = await test.open();
    node = await openLogNode({ database, dataDir: test.dataDir, signer: testSigner() });
    append = async (events, project = PROJECT) => {
      const { size } = await readHead(database.kysely);
      return node.writer.append({ project, asOf: size, restsOn: [], events });
    };
  });
  after(() => node.close());

  const trust = (hash: string, extendsPrevious: boolean): EventDraft => ({
    type: "trust.activated",
    about: ["*"],
    body: { previous: null, trust: hash, extendsPrevious, caller: "tok_operator" },
  });

  it("holds passes under the trust that was extended, and no longer under trust that was narrowed", async () => {
    const project = randomUUID() as ProjectId;
    await append([trust(FIRST, false)], project);
    await append([trust(SECOND, true)], project);
    assert.deepEqual((await activeTrust(database.kysely, project))?.holding, [SECOND, FIRST]);
    await append([trust(THIRD, false)], project);
    assert.deepEqual((await activeTrust(database.kysely, project))?.holding, [THIRD]);
  });

  it("does not let an extension in the same batch bring back what was narrowed", async () => {
    const project = randomUUID() as ProjectId;
    await append([trust(FIRST, false)], project);
    await append([trust(SECOND, false), trust(THIRD, true)], project);
    assert.deepEqual((await activeTrust(database.kysely, project))?.holding, [THIRD, SECOND]);
  });

  it("suspends projects and resumes them, also in one batch", async () => {
    const project = randomUUID() as ProjectId;
    const say = (type: "project.suspended" | "project.resumed"): EventDraft => ({
      type,
      about: ["*"],
      body: { reason: type, caller: "tok_operator" },
    });
    const isSuspended = async () => (await suspendedProjects(database.kysely)).includes(project);
    await append([say("project.suspended")], project);
    assert.equal(await isSuspended(), true);
    assert.equal((await readDecisionInputs(database.kysely, project, digestOf("any"))).isSuspended, true);
    await append([say("project.resumed")], project);
    assert.equal(await isSuspended(), false);
    await append([say("project.suspended"), say("project.resumed"), say("project.suspended")], project);
    assert.equal(await isSuspended(), true);
    assert.equal((await readDecisionInputs(database.kysely, PROJECT, digestOf("any"))).isSuspended, false);
  });

  it("opens quarantines and lifts them", async () => {
    const artifact = digestOf("quarantined");
    const event = (type: "quarantine.opened" | "quarantine.lifted", id: string): EventDraft => ({
      type,
      about: [artifact],
      body: { id, artifact, reason: "found to leak", caller: "tok_operator" },
    });
    const [lifted, open, both] = [randomUUID(), randomUUID(), randomUUID()];
    await append([event("quarantine.opened", lifted), event("quarantine.opened", open)]);
    await append([event("quarantine.lifted", lifted)]);
    await append([event("quarantine.opened", both), event("quarantine.lifted", both)]);
    const quarantines = (await openQuarantines(database.kysely, PROJECT)).filter(
      ({ target }) => "artifact" in target && target.artifact === artifact,
    );
    assert.deepEqual(
      quarantines.map(({ id }) => id),
      [open],
    );
    assert.ok((await findQuarantine(database.kysely, PROJECT, lifted))?.liftedIndex);
    const inputs = await readDecisionInputs(database.kysely, PROJECT, artifact);
    const openedIndex = quarantines[0]?.openedIndex;
    assert.deepEqual(inputs.quarantines, [{ id: open, artifact, reason: "found to leak", openedIndex }]);
    assert.equal(inputs.size, (await readHead(database.kysely)).size);
  });

  it("keeps revocations until they are withdrawn, and the size that verdicts must know", async () => {
    const project = randomUUID() as ProjectId;
    const event = (type: "evidence.revoked" | "revocation.withdrawn", id: string): EventDraft => ({
      type,
      about: ["*"],
      body: { id, target: { builder: "b" }, reason: "leaked", caller: "tok_operator" },
    });
    const asOf = async () => {
      const { revocationsAsOf } = await readDecisionInputs(database.kysely, project, digestOf("any"));
      assert.equal(await readRevocationsAsOf(database.kysely, project), revocationsAsOf);
      return revocationsAsOf;
    };
    const size = async () => (await readHead(database.kysely)).size;
    assert.equal(await asOf(), 0);
    const [ended, standing, both] = [randomUUID(), randomUUID(), randomUUID()];
    await append([event("evidence.revoked", ended), event("evidence.revoked", standing)], project);
    assert.equal(await asOf(), await size());
    await append([event("revocation.withdrawn", ended)], project);
    assert.equal(await asOf(), await size());
    await append([event("evidence.revoked", both), event("revocation.withdrawn", both)], project);
    assert.equal(await asOf(), await size());
    await append([trust(FIRST, false)], project);
    assert.equal(await asOf(), (await size()) - 1);
    const left = await standingRevocations(database.kysely, project);
    assert.deepEqual(
      left.map(({ id, target }) => [id, target]),
      [[standing, { builder: "b" }]],
    );
    assert.ok((await findRevocation(database.kysely, project, both))?.withdrawnIndex);
  });

  it("keeps approvals and exceptions until they are withdrawn, be it in the batch that gave them", async () => {
    const artifact = digestOf("approved");
    const given = {
      artifact,
      policy: "release",
      policyHash: FIRST,
      attestations: [SECOND],
      approver: "alice",
      reason: null,
    };
    const excepted = {
      artifact,
      policy: "release",
      owner: "dana",
      reason: "outage",
      expiresAt: "2030-01-01T00:00:00.000Z",
    };
    for (const [kind, body] of [
      ["approval", given],
      ["exception", excepted],
    ] as const) {
      const event = (what: "granted" | "withdrawn", id: string): EventDraft => ({
        type: `${kind}.${what}`,
        about: [artifact],
        body: { ...body, id, caller: "tok_operator" },
      });
      const [ended, standing, both] = [randomUUID(), randomUUID(), randomUUID()];
      await append([event("granted", ended), event("granted", standing)]);
      await append([event("withdrawn", ended)]);
      await append([event("granted", both), event("withdrawn", both)]);
      const inputs = await readDecisionInputs(database.kysely, PROJECT, artifact);
      const found = kind === "approval" ? inputs.approvals : inputs.exceptions;
      assert.deepEqual(
        found.map(({ id }) => id),
        [standing],
      );
    }
    const { approvals, exceptions } = await readDecisionInputs(database.kysely, PROJECT, artifact);
    assert.deepEqual([approvals[0]?.attestations, approvals[0]?.approver], [[SECOND], "alice"]);
    const end = Date.UTC(2030, 0, 1);
    assert.equal(exceptions[0]?.expiresAt, end);
    const standing = (now: number) => standingExceptions(database.kysely, PROJECT, now);
    assert.deepEqual([await standing(end - 1), await standing(end)], [exceptions, []]);
  });

  it("counts a caller's rejections, once for each", async () => {
    const digest = digestOf("rejected");
    const body = { digest, size: 10, code: "signature-invalid", trust: FIRST, caller: "tok_bad" };
    const rejection: EventDraft = { type: "evidence.rejected", about: [], body };
    await append([rejection]);
    await assert.rejects(append([rejection]), { code: "conflict" });
    assert.equal(await rejectionsBy(database.kysely, PROJECT, "tok_bad", 0), 1);
    assert.equal(await rejectionsBy(database.kysely, PROJECT, "tok_bad", Number.MAX_SAFE_INTEGER), 0);
    const found = await findRejection(database.kysely, PROJECT, {
      digest,
      code: "signature-invalid",
      trust: FIRST,
    });
    assert.equal(typeof found, "number");
  });

  it("finds attestations by repository, commit and signer, newest first, a page at a time", async () => {
    const project = randomUUID() as ProjectId;
    const evidence = [1, 2, 3].map((i) => Buffer.from(`searched ${i}`));
    const ids = evidence.map(digestOf);
    for (const [i, bytes] of evidence.entries()) {
      const { size } = await readHead(database.kysely);
      await node.writer.append(
        pushProposal(digestOf(`searched artifact ${i % 2}`), size, { project, evidence: bytes }),
      );
    }
    const repository = "https://github.com/example/app";
    const page = await searchAttestations(database.kysely, project, { repository, limit: 2 });
    assert.deepEqual(
      page.map(({ id }) => id),
      [ids[2], ids[1]],
    );
    const rest = await searchAttestations(database.kysely, project, {
      repository,
      limit: 2,
      before: page[1]?.index ?? 0,
    });
    assert.deepEqual(
      rest.map(({ id, subjects }) => ({ id, subjects })),
      [{ id: ids[0], subjects: [{ digest: digestOf("searched artifact 0"), name: "app.tar.gz" }] }],
    );
    assert.deepEqual(await searchAttestations(database.kysely, project, { signer: "nobody", limit: 2 }), []);
    assert.deepEqual(
      await searchAttestations(database.kysely, project, { commit: "0a1b2c3d", limit: 2 }),
      [],
    );
  });

  it("keeps documents of a project by their hash, given once or again", async () => {
    const bytes = Buffer.from("the files");
    const document = { hash: digestOf(bytes), kind: "policy", bytes } as const;
    for (const key of ["*", digestOf("documents")] satisfies ChainKey[]) {
      const { size } = await readHead(database.kysely);
      const events = [{ ...trust(FIRST, false), about: [key] }];
      await node.writer.append({ project: PROJECT, asOf: size, restsOn: [], events, documents: [document] });
    }
    const found = await readDocument(database.kysely, PROJECT, document.hash);
    assert.equal(Buffer.from(found?.bytes ?? []).toString(), "the files");
    assert.equal(await readDocument(database.kysely, randomUUID() as ProjectId, document.hash), undefined);
  });

  it("stores nothing of an event whose rows cannot be read out of its body", async () => {
    const { size } = await readHead(database.kysely);
    const artifact = digestOf("unreadable");
    const verdict = verdictEvent(artifact, digestOf(""));
    const accepted = acceptedEvent(artifact, digestOf("unreadable evidence"));
    for (const broken of [
      { ...verdict, body: { ...verdict.body, validUntil: "next year" } },
      { ...verdict, body: { ...verdict.body, slsaLevel: 9 } },
      { ...accepted, body: { ...accepted.body, mediaType: null } },
    ]) {
      await assert.rejects(append([broken]));
    }
    assert.equal((await readHead(database.kysely)).size, size);
  });
});
