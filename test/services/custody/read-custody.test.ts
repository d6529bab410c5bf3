import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { EventType } from "../../../src/custody/events.ts";
import { openPackEvents } from "../../../src/custody/pack/events.ts";
import { type CustodySummarizer, createCustodySummarizer } from "../../../src/custody/summary/summarize.ts";
import { readHead } from "../../../src/db/log.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import type { JsonObject } from "../../../src/in-toto-attestation/types.ts";
import { readPolicies } from "../../../src/services/activation/activate-policies.ts";
import { exportPack } from "../../../src/services/custody/export-pack.ts";
import { type CustodyQuery, readCustody } from "../../../src/services/custody/read-custody.ts";
import { revokeEvidence, withdrawRevocation } from "../../../src/services/incidents/revocations.ts";
import { openCheckpoint } from "../../../src/tlog/checkpoint.ts";
import { leafHash, sameHash } from "../../../src/tlog/hash.ts";
import { parseVerifierKey } from "../../../src/tlog/note.ts";
import { rootFromInclusion } from "../../../src/tlog/proofs.ts";
import { fails, succeeds } from "../../http/calls.ts";
import type { TestNode } from "../../http/node.ts";
import { anImage } from "../../support/images.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { committed } from "../../support/pushes.ts";
import { type IdentityHouse, openIdentityHouse } from "../identities/identity-house.ts";
import { callerWith } from "../release-node.ts";
import { tellItsStory } from "./custody-story.ts";

type Page = Awaited<ReturnType<typeof readCustody>>;

describe("the custody of an artifact", () => {
  let postgres: TestPostgres;
  let house: IdentityHouse;
  let node: TestNode;
  const image = anImage();
  /** What a reader saw at each size that the log had. */
  const seen: Page[] = [];

  const operator = () => callerWith(node, ["operator"]);
  const read = (query: CustodyQuery = {}) =>
    readCustody(node.v, operator(), image.layer, { limit: 200, ...query });
  const kinds = ({ events }: Pick<Page, "events">) =>
    events.map(({ type, chain }) => (chain === undefined ? type : `${type} of ${nameOf(chain)}`));
  const nameOf = (chain: string) =>
    chain === image.digest || chain === sha256(image.manifest) ? "its image" : chain;

  before(async () => {
    postgres = await createPostgres();
    house = await openIdentityHouse(postgres);
    node = await house.open();
    const look = async () => seen.push(await read());
    await tellItsStory({ house, node, operator: operator(), image, look });
  });
  after(async () => {
    await house.close();
    await postgres.drop();
    await stopPostgres();
  });

  test("is its chain, what its verdicts rest on of others, and what touched it of the project", async () => {
    const all = await read();
    const own = await read({ related: false });
    assert.deepEqual(kinds(own), [
      "containment.recorded",
      "verdict.passed",
      "identity.issued",
      "identity.revoked",
      "identity.denied",
      "quarantine.opened",
    ]);
    assert.deepEqual(kinds(all), [
      "trust.activated of *",
      "policy.activated of *",
      "evidence.accepted of its image",
      "containment.recorded of its image",
      "containment.recorded",
      "verdict.passed",
      "identity.issued",
      "policy.activated of *",
      "quarantine.opened of its image",
      "identity.revoked",
      "identity.denied",
      "quarantine.lifted of its image",
      "agent.revoked of *",
      "quarantine.opened",
    ]);
    const revoked = all.events.find(({ type }) => type === "agent.revoked");
    assert.match(String(revoked?.body.agent), /node-1$/);
    const [, second] = all.events.filter(({ type }) => type === "policy.activated");
    const { policySet } = await readPolicies(node.v, operator());
    assert.equal(second?.body.policySet, policySet);
  });

  test("comes to a summary, on its first page: who built it of what, what let it through, who got what, what stands", async () => {
    assert.equal((await read({ limit: 1, summary: false })).summary, null);
    const { summary, next } = await read({ limit: 1 });
    assert.equal((await read({ limit: 1, after: String(next) })).summary, null);
    assert.ok(summary);
    const { sources, builders, evidence, containment, verdicts, identities, denials, quarantines } = summary;
    assert.deepEqual(
      sources.newest.map(({ repository, chain }) => [repository, chain]),
      [["https://github.com/acme/widget", image.digest]],
    );
    assert.match(String(builders.newest[0]?.builder), /release\.yml@refs\/heads\/main$/);
    assert.equal(evidence.newest[0]?.signer.case, "certificate");
    assert.deepEqual(
      containment.newest.map(({ container }) => container),
      [image.digest, sha256(image.manifest)],
    );
    const [verdict] = verdicts.newest;
    assert.deepEqual(
      [verdict?.policy, verdict?.outcome, verdict?.policyInForce],
      ["release", "passed", true],
    );
    assert.deepEqual(new Set(verdict?.restsOn), new Set([image.digest, sha256(image.manifest)]));
    const { events } = await read();
    const revoked = events.find(({ type }) => type === "agent.revoked")?.index;
    assert.deepEqual(
      identities.newest.map(({ live, revoked, agentRevoked }) => [live, revoked, agentRevoked]),
      [[0, 1, revoked]],
    );
    assert.deepEqual(denials.newest[0]?.codes, ["quarantined"]);
    assert.deepEqual(
      quarantines.newest.map(({ target, lifted }) => [target, typeof lifted]),
      [
        [image.digest, "number"],
        [image.layer, "object"],
      ],
    );
  });

  test("a custody file, by itself, comes to the same summary as the server did", async () => {
    const { treeSize, time, summary } = await read({ limit: 1 });
    const file = openPackEvents();
    let summarizer: CustodySummarizer | undefined;
    for await (const line of exportPack(node.v, operator(), image.layer, { case: "size", size: treeSize })) {
      for (const event of file.read(line)) {
        const { artifact, related } = file.header();
        summarizer ??= createCustodySummarizer(artifact, related);
        summarizer.add(event);
      }
    }
    file.finish();
    assert.deepEqual(summarizer?.read(Date.parse(time)), summary);
  });

  test("put together from pages of any length it is the whole, filtered or not", async () => {
    const filters: readonly CustodyQuery[] = [
      {},
      { related: false },
      { types: ["quarantine.opened", "policy.activated", "containment.recorded"] },
      { types: ["identity.renewed"] },
    ];
    for (const filter of filters) {
      const whole = await read({ ...filter, proofs: false });
      assert.equal(whole.next, null);
      const { types } = filter;
      assert.ok(types === undefined || whole.events.every(({ type }) => types.includes(type as EventType)));
      for (const limit of [1, 2, 3, whole.events.length, whole.events.length + 1].filter(Boolean)) {
        const events: Page["events"] = [];
        for (let after: string | null = "-"; after !== null; ) {
          const page: Page = await read({ ...filter, proofs: false, limit, ...(after !== "-" && { after }) });
          assert.ok(page.events.length <= limit);
          events.push(...page.events);
          after = page.next;
        }
        assert.deepEqual(events, whole.events);
      }
    }
  });

  test("as of each size is what a reader saw then, and its proofs lead to that size's root", async () => {
    const verifier = parseVerifierKey(node.v.log.verifierKey);
    for (const { time, ...page } of seen) {
      const { time: at, ...again } = await read({ asOf: { case: "size", size: page.treeSize } });
      assert.deepEqual(again, page);
      assert.ok(at <= time);
      const { root } = openCheckpoint(again.checkpoint, verifier.name, [verifier]);
      for (const { index, leaf, inclusionProof } of again.events) {
        const hash = leafHash(Buffer.from(String(leaf), "base64"));
        const path = (inclusionProof ?? []).map((part) => Buffer.from(part, "base64"));
        assert.ok(sameHash(rootFromInclusion(hash, index, page.treeSize, path), root));
      }
    }
    assert.equal(new Set(seen.map(({ events }) => events.length)).size > 6, true);
  });

  test("as of a time is as of the log's size then; before its first event, and in time to come, there is none", async () => {
    const { events } = await read();
    const last = events.at(-1);
    const time = Date.parse(String(last?.time));
    const then = await read({ asOf: { case: "time", time } });
    assert.equal(then.treeSize, (last?.index ?? 0) + 1);
    assert.equal(then.time, last?.time);
    for (const asOf of [
      { case: "size", size: 1 },
      { case: "time", time: 1 },
    ] as const)
      await assert.rejects(read({ asOf }), { code: "not-found" });
    await assert.rejects(read({ asOf: { case: "time", time: node.v.clock() + 60_000 } }), {
      code: "invalid-request",
    });
    await assert.rejects(read({ after: "1e3" }), { code: "invalid-request" });
  });

  test("without proofs has no leaves and no salts", async () => {
    const { events } = await read({ proofs: false });
    assert.deepEqual(
      events.map(({ index, body }) => [index, body]),
      (await read()).events.map(({ index, body }) => [index, body]),
    );
    for (const event of events) {
      assert.deepEqual([event.leaf, event.salt, event.inclusionProof], [undefined, undefined, undefined]);
    }
  });

  test("is read through the door by an auditor, as asked", async () => {
    const as = await node.token(["auditor"]);
    const params = { digest: image.layer };
    const get = (query: Readonly<Record<string, string>>) =>
      succeeds(node.app, 200, "GET /custody/:digest", { as, params, query });
    const all = await get({ proofs: "false", limit: "200" });
    const { events } = await read({ proofs: false });
    assert.deepEqual(all.events, JSON.parse(JSON.stringify(events)));
    const [first, second] = events;
    const asOf = await get({ asOf: String(events[5]?.index), limit: "1", type: String(second?.type) });
    assert.deepEqual([asOf.treeSize, asOf.events[0].index], [events[5]?.index, second?.index]);
    const types = `type=${first?.type}&type=${second?.type}`;
    const several = await node.app.inject({
      url: `/custody/${image.layer}?${types}&asOf=${all.time}&after=${first?.index}`,
      headers: { authorization: `Bearer ${as}` },
    });
    assert.deepEqual(
      several.json().events.map(({ type }: { type: string }) => type),
      ["policy.activated", "policy.activated"],
    );
    for (const query of [
      { type: "policy.deactivated" },
      { proofs: "no" },
      { limit: "0" },
      { asOf: "01" },
      { from: "1" },
    ])
      await fails(node.app, "invalid-request", "GET /custody/:digest", { as, params, query });
  });

  test("of a chain that is very long, tells all that decides and the newest of what was granted", async () => {
    const artifact = sha256(Buffer.from("a fleet's image"));
    const append = async (type: EventType, bodies: readonly JsonObject[]) => {
      const events = bodies.map((body) => ({ type, about: [artifact], body }));
      committed(await node.v.writer.append({ project: node.v.project, asOf: 0, restsOn: [], events }));
    };
    await append("quarantine.opened", [{ id: randomUUID(), artifact, reason: "long ago" }]);
    const granted = {
      issuer: "vault",
      grantedTo: "spiffe://x/y",
      decision: "allow",
      caller: "operator",
      expiresAt: null,
    };
    const events = Array.from({ length: 1000 }, () => ({ ...granted, artifact }));
    for (let thousands = 0; thousands < 11; thousands += 1) await append("decision.recorded", events);
    const { summary, events: page } = await readCustody(node.v, operator(), artifact, { related: false });
    const last = await readHead(node.v.database.kysely);
    assert.equal(summary?.quarantines.newest[0]?.index, page[0]?.index);
    assert.equal(summary?.grantsSince, last.size - 10_000);
    assert.deepEqual(
      summary?.decisions.newest.map(({ first, index, count }) => [first, index, count]),
      [[last.size - 10_000, last.size - 1, 10_000]],
    );
  });

  // Last, for what falls is recorded in the background.
  test("tells which revocations its evidence is touched by, and no others", async () => {
    const revoke = (target: JsonObject) => revokeEvidence(node.v, operator(), { target, reason: "key lost" });
    const { index, id } = await revoke({ repository: "https://github.com/acme/widget" });
    await revoke({ repository: "https://github.com/acme/gadget" });
    await revoke({ signer: { key: "release" } });
    const types: EventType[] = ["evidence.revoked", "revocation.withdrawn"];
    const brief = ({ summary }: Page) =>
      summary?.revocations.newest.map((line) => [line.index, line.target, line.withdrawn]);
    const during = await read({ types });
    assert.deepEqual(
      during.events.map((event) => [event.index, event.chain]),
      [[index, "*"]],
    );
    const target = "repository https://github.com/acme/widget";
    assert.deepEqual(brief(during), [[index, target, null]]);
    assert.equal(during.summary?.evidence.newest[0]?.revoked, index);
    const { receipt } = await withdrawRevocation(node.v, operator(), { id, reason: "found" });
    const after = await read({ types });
    assert.deepEqual(
      after.events.map((event) => event.index),
      [index, receipt.index],
    );
    assert.deepEqual(brief(after), [[index, target, receipt.index]]);
    assert.equal(after.summary?.evidence.newest[0]?.revoked, null);
  });
});
