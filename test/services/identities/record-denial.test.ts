import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { readEvents, readHead } from "../../../src/db/log.ts";
import { VouchsafeError } from "../../../src/errors.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { createDenials, type Denial, TOLD_APART } from "../../../src/services/identities/record-denial.ts";
import { openQuarantine } from "../../../src/services/incidents/quarantine.ts";
import type { TestNode } from "../../http/node.ts";
import { callerWith } from "../release-node.ts";
import { agentCaller, fetchX509, type IdentityHouse, openIdentityHouse, release } from "./identity-house.ts";

describe("denials in the log", () => {
  let house: IdentityHouse;
  let node: TestNode;
  before(async () => {
    house = await openIdentityHouse();
    node = await house.open();
  });
  after(() => house.close());

  async function denials(from: number) {
    const { size } = await readHead(node.v.database.kysely);
    const indexes = Array.from({ length: size - from }, (_, i) => from + i);
    const events = await readEvents(node.v.database.kysely, node.v.project, indexes);
    return events.filter(({ type }) => type === "identity.denied");
  }
  const deny = (digest: string, name = "node-1") =>
    assert.rejects(fetchX509(node, agentCaller(node, name), digest), { code: "identity-denied" });

  test("are one a minute for a requester, its digests and the reasons' codes, with a count", async () => {
    const { digest } = await release(house, node);
    await openQuarantine(node.v, callerWith(node, ["operator"]), { artifact: digest, reason: "leaks" });
    const { size } = await readHead(node.v.database.kysely);
    for (let i = 0; i < 3; i += 1) await deny(digest);
    await deny(digest, "node-2");
    node.advance(61_000);
    await deny(digest);
    const told = (await denials(size)).map(({ about, body: { requester, count, reasons } }) => ({
      about,
      requester: String(requester).split("/").at(-1),
      count,
      reasons: JSON.stringify(reasons),
    }));
    const reasons = '[{"code":"quarantined"}]';
    assert.deepEqual(told, [
      { about: [digest], requester: "node-1", count: 1, reasons },
      { about: [digest], requester: "node-2", count: 1, reasons },
      { about: [digest], requester: "node-1", count: 3, reasons },
    ]);
  });

  test("join no chain of an artifact that nothing is known of", async () => {
    const { size } = await readHead(node.v.database.kysely);
    await deny(sha256(randomBytes(9)));
    assert.deepEqual(
      (await denials(size)).map(({ about }) => about),
      [[]],
    );
  });

  test("are counted together beyond so many, however many files a workload runs", async () => {
    const { size } = await readHead(node.v.database.kysely);
    for (let i = 0; i < TOLD_APART + 20; i += 1) await deny(sha256(randomBytes(9)), "node-3");
    const told = await denials(size);
    assert.equal(told.length, TOLD_APART + 1);
    assert.deepEqual({ ...told.at(-1)?.body }.components, Object.create(null));
  });

  test("that could not be recorded are counted on, whatever became of the others", async () => {
    const recorded: { requester: unknown; count: unknown }[] = [];
    let now = 0;
    let failing = 0;
    const kept = createDenials({
      writer: {
        async append({ events }) {
          failing -= 1;
          if (failing === 0) throw new VouchsafeError("unavailable", "gone");
          recorded.push(...events.map(({ body: { requester, count } }) => ({ requester, count })));
          return { outcome: "stale", size: 0 };
        },
      },
      clock: () => now,
      report: () => {},
    });
    const denial = (requester: string): Denial => ({
      project: node.v.project,
      requester,
      request: { selectors: [], components: new Map() },
      known: [],
      reasons: [],
    });
    for (const requester of ["a", "a", "a", "b", "b"]) await kept.record(denial(requester));
    recorded.length = 0;
    now += 61_000;
    failing = 1;
    await assert.rejects(kept.record(denial("a")), { code: "unavailable" });
    await kept.record(denial("a"));
    assert.deepEqual(recorded.splice(0), [{ requester: "a", count: 3 }]);
    failing = 1;
    await kept.record(denial("a"));
    await kept.close();
    await kept.close();
    assert.deepEqual(recorded, [
      { requester: "b", count: 1 },
      { requester: "a", count: 1 },
    ]);
  });

  test("that were counted when the node closes are recorded", async () => {
    const digest = sha256(randomBytes(9));
    const agent = agentCaller(node, "node-4");
    for (let i = 0; i < 3; i += 1) {
      await assert.rejects(fetchX509(node, agent, digest), { code: "identity-denied" });
    }
    await node.v.denials.close();
    const { size } = await readHead(node.v.database.kysely);
    const [last] = await readEvents(node.v.database.kysely, node.v.project, [size - 1]);
    assert.deepEqual([last?.type, last?.body.count], ["identity.denied", 2]);
  });
});
