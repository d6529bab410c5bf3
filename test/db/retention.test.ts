import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, before, it } from "node:test";
import { CompiledQuery } from "kysely";
import pg from "pg";
import type { EventDraft } from "../../src/custody/events.ts";
import type { Database } from "../../src/db/connection.ts";
import { findEvidence } from "../../src/db/evidence.ts";
import { readChain, readHead } from "../../src/db/log.ts";
import { createLogStore } from "../../src/db/log-store.ts";
import { findExpiration, keptAttestation, standingHolds } from "../../src/db/retention.ts";
import { VouchsafeError } from "../../src/errors.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";
import { forEachDatabase, type TestDatabase } from "../support/databases.ts";
import { openLogNode, testSigner } from "../support/log-node.ts";
import {
  ACCEPTED_AT,
  acceptedEvent,
  committed,
  digestOf,
  PROJECT,
  pushProposal,
  verdictEvent,
} from "../support/pushes.ts";

const INSUFFICIENT_PRIVILEGE = "42501";
const OBJECT_IN_USE = "55006";

forEachDatabase("the bytes of evidence", (create) => {
  let test: TestDatabase;
  let database: Database;
  let node: Awaited<ReturnType<typeof openLogNode>>;

  before(async () => {
    test = await create();
    database = await test.open();
    node = await openLogNode({ database, dataDir: test.dataDir, signer: testSigner() });
  });
  after(() => node.close());

  const append = async (...events: readonly EventDraft[]) => {
    const { size } = await readHead(database.kysely);
    return committed(await node.writer.append({ project: PROJECT, asOf: size, restsOn: [], events }));
  };
  const run = (sql: string) => database.kysely.executeQuery(CompiledQuery.raw(sql));

  /** An artifact with one attestation. */
  async function pushed(): Promise<{ artifact: Digest; attestation: Digest }> {
    const [artifact, evidence] = [digestOf(randomBytes(8)), randomBytes(100)];
    const { size } = await readHead(database.kysely);
    committed(await node.writer.append(pushProposal(artifact, size, { evidence })));
    return { artifact, attestation: digestOf(evidence) };
  }

  const expiry = (artifact: Digest, attestation: Digest): EventDraft => ({
    type: "evidence.expired",
    about: [artifact],
    body: { attestation, class: "standard", acceptedAt: "", keptUntil: "", caller: "retention" },
  });
  const holdOn = (artifact: Digest, id = randomUUID()): EventDraft => ({
    type: "hold.placed",
    about: [artifact],
    body: { id, artifact, reason: "Doe v. Acme", caller: "tok_operator" },
  });
  const releaseOf = (artifact: Digest, id: string): EventDraft => ({
    type: "hold.released",
    about: [artifact],
    body: { id, artifact, reason: "settled", caller: "tok_operator" },
  });
  const hasBytes = async (attestation: Digest) => {
    const stored = await findEvidence(database.kysely, PROJECT, attestation);
    assert.ok(stored);
    return "bytes" in stored;
  };
  const isHeld = async (attestation: Digest) => {
    const kept = await keptAttestation(database.kysely, PROJECT, attestation, 0);
    const sql = `select vouchsafe_is_held('${PROJECT}', '${attestation}') as held`;
    const { rows } = await database.kysely.executeQuery<{ held: boolean }>(CompiledQuery.raw(sql));
    const held = kept?.uses.some((use) => use.isHeld);
    assert.equal(rows[0]?.held, held, "the database and the sweep agree on what a hold reaches");
    return held;
  };
  const held = (error: unknown) => error instanceof VouchsafeError && error.code === "conflict";

  it("go with their event, and nothing else does", async () => {
    const { artifact, attestation } = await pushed();
    const [event] = (await append(expiry(artifact, attestation))).events;
    assert.deepEqual(await findEvidence(database.kysely, PROJECT, attestation), {
      hash: attestation,
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      expired: event?.index,
    });
    assert.equal(await findExpiration(database.kysely, PROJECT, attestation), event?.index);
    const chain = await readChain(database.kysely, PROJECT, artifact);
    assert.deepEqual(
      chain.map(({ type }) => type),
      ["evidence.accepted", "verdict.passed", "evidence.expired"],
    );
    await assert.rejects(append(expiry(artifact, attestation)), held, "once");
  });

  it("stay where the transaction of their event does not commit", async () => {
    const { artifact, attestation } = await pushed();
    const store = createLogStore(database);
    const crash = new Error("after the statement that takes them away");
    const last = (await readChain(database.kysely, PROJECT, artifact)).at(-1);
    assert.ok(last);
    const dropped = store.locked(async (log) => {
      const entry = {
        ...last,
        leafHash: randomBytes(32),
        index: log.head.size,
        draft: expiry(artifact, attestation),
      };
      const body = Buffer.from(JSON.stringify(entry.draft.body));
      await log.write({
        entries: [{ ...entry, body }],
        tiles: [],
        head: { ...log.head, size: log.head.size + 1 },
        evidence: [],
        documents: [],
        confirmations: [],
      });
      throw crash;
    });
    await assert.rejects(dropped, crash);
    assert.ok(await hasBytes(attestation));
    assert.equal(await findExpiration(database.kysely, PROJECT, attestation), undefined);
  });

  it("stay while a hold on their artifact stands, and until the last one was released", async () => {
    const { artifact, attestation } = await pushed();
    const [first, second] = [randomUUID(), randomUUID()];
    await append(holdOn(artifact, first), holdOn(artifact, second));
    assert.equal((await standingHolds(database.kysely, PROJECT, artifact)).length, 2);
    for (const id of [first, second]) {
      assert.equal(await isHeld(attestation), true);
      await assert.rejects(append(expiry(artifact, attestation)), held);
      assert.ok(await hasBytes(attestation));
      await append(releaseOf(artifact, id));
    }
    assert.equal(await isHeld(attestation), false);
    await append(expiry(artifact, attestation));
    assert.equal(await hasBytes(attestation), false);
  });

  it("stay while a hold stands on what a verdict, if not the newest, rested on them for", async () => {
    const { artifact: source, attestation } = await pushed();
    const { artifact: image } = await pushed();
    const verdict = verdictEvent(image, attestation);
    await append({ ...verdict, body: { ...verdict.body, restsOn: [source] } });
    await append(verdictEvent(image, attestation, "verdict.failed"));
    const id = randomUUID();
    assert.equal(await isHeld(attestation), false);
    await append(holdOn(image, id));
    assert.equal(await isHeld(attestation), true);
    await assert.rejects(append(expiry(source, attestation)), held);
    await append(releaseOf(image, id));
    await append(expiry(source, attestation));
    assert.equal(await hasBytes(attestation), false);
  });

  it("are kept for what rests on them too, from the newest evidence about that on", async () => {
    const { artifact: source, attestation } = await pushed();
    const { artifact: image } = await pushed();
    const verdict = verdictEvent(image, attestation);
    const later = ACCEPTED_AT + 86_400_000;
    const accepted = acceptedEvent(image, digestOf("newer"));
    await append(
      { ...verdict, body: { ...verdict.body, restsOn: [source] } },
      { ...accepted, body: { ...accepted.body, verifiedAt: new Date(later).toISOString() } },
      { type: "retention.assigned", about: [image], body: { artifact: image, class: "court" } },
    );
    const kept = await keptAttestation(database.kysely, PROJECT, attestation, 0);
    assert.deepEqual(kept?.subjects, [source]);
    assert.deepEqual(
      new Set(kept?.uses),
      new Set([
        { artifact: source, since: ACCEPTED_AT, isHeld: false, isLive: false },
        { artifact: image, since: later, isHeld: false, isLive: false, assigned: "court" },
      ]),
    );
  });

  it("go or are held, whichever of both is first, when both arrive at once", async () => {
    for (const isHoldFirst of [true, false]) {
      const { artifact, attestation } = await pushed();
      const { size } = await readHead(database.kysely);
      const propose = (event: EventDraft, restsOn: readonly Digest[]) =>
        node.writer.append({ project: PROJECT, asOf: size, restsOn, events: [event] });
      const hold = () => propose(holdOn(artifact), []);
      const expire = () => propose(expiry(artifact, attestation), [artifact]);
      const both = isHoldFirst ? [hold(), expire()] : [expire(), hold()];
      const outcomes = (await Promise.all(both)).map(({ outcome }) => outcome);
      assert.deepEqual(outcomes, isHoldFirst ? ["committed", "stale"] : ["committed", "committed"]);
      assert.equal(await hasBytes(attestation), isHoldFirst);
    }
  });

  it("can be taken away by no statement that the log does not back", async () => {
    const { artifact, attestation } = await pushed();
    const { artifact: other, attestation: kept } = await pushed();
    const id = randomUUID();
    const [hold] = (await append(holdOn(artifact, id))).events;
    const statements: readonly (readonly [string, string])[] = [
      [`update evidence set bytes = null where id = '${attestation}'`, INSUFFICIENT_PRIVILEGE],
      [`update evidence set bytes = 'other' where id = '${attestation}'`, INSUFFICIENT_PRIVILEGE],
      [`update evidence set media_type = 'x' where id = '${attestation}'`, INSUFFICIENT_PRIVILEGE],
      [`delete from evidence where id = '${attestation}'`, INSUFFICIENT_PRIVILEGE],
      [`truncate evidence`, INSUFFICIENT_PRIVILEGE],
      [`insert into expirations values ('${PROJECT}', '${kept}', ${hold?.index})`, INSUFFICIENT_PRIVILEGE],
      [`insert into expirations values ('${PROJECT}', '${kept}', 999999)`, INSUFFICIENT_PRIVILEGE],
      [`insert into hold_releases values ('${PROJECT}', '${id}', ${hold?.index})`, INSUFFICIENT_PRIVILEGE],
      [`update holds set artifact = '${other}' where id = '${id}'`, INSUFFICIENT_PRIVILEGE],
      [`delete from holds where id = '${id}'`, INSUFFICIENT_PRIVILEGE],
      ["delete from verdict_grounds", INSUFFICIENT_PRIVILEGE],
      ["delete from expirations", INSUFFICIENT_PRIVILEGE],
      ["truncate holds", INSUFFICIENT_PRIVILEGE],
    ];
    const asOthers = test.postgres ? [test.postgres.migrateUrl, test.postgres.adminUrl] : [];
    for (const [statement, code] of statements) {
      await assert.rejects(run(statement), { code }, statement);
      for (const url of asOthers)
        await assert.rejects(runAs(url, statement), { code }, `${url}: ${statement}`);
    }
    assert.ok((await hasBytes(attestation)) && (await hasBytes(kept)));

    // The event is there, whoever wrote it, and the hold stands.
    const forged = { type: "decision.recorded", about: [], body: {} } as const;
    const [entry] = (await append(forged)).events;
    for (const url of test.postgres ? [test.postgres.adminUrl] : []) {
      await runAs(
        url,
        `set session_replication_role = replica; update log_entries set type = 29, project_id = '${PROJECT}',
           body = '{"attestation":"${attestation}"}' where index = ${entry?.index}`,
      );
      const insert = `insert into expirations values ('${PROJECT}', '${attestation}', ${entry?.index})`;
      await assert.rejects(runAs(url, insert), { code: OBJECT_IN_USE });
    }
    assert.ok(await hasBytes(attestation));
  });
});

async function runAs(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
