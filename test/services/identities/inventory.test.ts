import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { sql } from "kysely";
import { activePolicies } from "../../../src/db/activations.ts";
import { sql as migration } from "../../../src/db/migrations/0019-inventory.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { activatePolicies } from "../../../src/services/activation/activate-policies.ts";
import { recordDecision } from "../../../src/services/decisions/record-decision.ts";
import { type InventoryQuery, listInventory } from "../../../src/services/identities/inventory.ts";
import { issueJwtSvids, issueX509Svids } from "../../../src/services/identities/issue-svid.ts";
import { openQuarantine } from "../../../src/services/incidents/quarantine.ts";
import { fsck } from "../../../src/services/log/fsck.ts";
import type { TestNode } from "../../http/node.ts";
import { callerWith } from "../release-node.ts";
import {
  agentCaller,
  fetchX509,
  type IdentityHouse,
  joinThroughDoor,
  newKey,
  openIdentityHouse,
  release,
  SELECTORS,
  untilRevoked,
  WORKLOADS,
} from "./identity-house.ts";

const HOUR = 3_600_000;

describe("the inventory", () => {
  let house: IdentityHouse;
  let node: TestNode;
  before(async () => {
    house = await openIdentityHouse();
    node = await house.open();
    for (const name of ["node-1", "node-2", "twin"]) await joinThroughDoor(node, name);
  });
  after(() => house.close());

  const list = async (query: Partial<InventoryQuery> = {}) =>
    (await listInventory(node.v, callerWith(node, ["auditor"]), { limit: 200, ...query })).inventory;
  async function only(query: Partial<InventoryQuery>) {
    const [entry, ...others] = await list(query);
    assert.ok(entry !== undefined && others.length === 0, `${others.length + (entry ? 1 : 0)} entries`);
    return entry;
  }
  const record = (artifact: string, decision: "allow" | "deny", expiresAt?: string) =>
    recordDecision(node.v, callerWith(node, ["issuer"]), {
      artifact,
      policies: ["release"],
      decision,
      asOf: 1,
      grantedTo: `job of ${artifact}`,
      issuer: "https://tokens.example",
      ...(expiresAt !== undefined && { expiresAt }),
    });

  test("has one entry for all grants to one subject, with its newest digest, renewal and end", async () => {
    const { digest } = await release(house, node);
    const first = await fetchX509(node, agentCaller(node), digest);
    const subject = first.svids[0]?.spiffeId ?? "";
    const issued = await only({ subject });
    assert.deepEqual(
      [issued.workload, issued.issuer, issued.requester, issued.state, issued.live, issued.grants],
      ["widget", null, "spiffe://vouchsafe.local/vouchsafe/agent/node-1", "live", 1, 1],
    );
    assert.deepEqual([issued.lastRenewedAt, issued.digests], [null, [digest]]);
    assert.equal(issued.firstIndex, first.svids[0]?.receipt.index);

    const renewal = await fetchX509(node, agentCaller(node), digest, [first.svids[0]?.serial ?? ""]);
    const renewed = await only({ subject });
    assert.deepEqual([renewed.live, renewed.grants, renewed.firstIndex], [2, 2, issued.firstIndex]);
    assert.equal(renewed.lastIndex, renewal.svids[0]?.receipt.index);
    assert.equal(renewed.lastRenewedAt, renewed.lastGrantedAt);

    await fetchX509(node, agentCaller(node, "node-2"), digest);
    assert.equal((await list({ subject })).length, 2);
    assert.equal((await list({ digest })).length, 2);
    assert.deepEqual((await list({ workload: "beside" })).length, 0);
  });

  test("tells what is revoked, and what lives on beside it", async () => {
    const [one, other] = [await release(house, node), await release(house, node)];
    const twin = agentCaller(node, "twin");
    await fetchX509(node, twin, one.digest);
    await fetchX509(node, twin, other.digest);
    const query = { subject: "spiffe://vouchsafe.local/elsewhere" };
    assert.deepEqual([(await only(query)).live, (await only(query)).digests], [2, [other.digest]]);

    await openQuarantine(node.v, callerWith(node, ["operator"]), {
      artifact: other.digest,
      reason: "a test",
    });
    await untilRevoked(node, other.digest);
    assert.deepEqual([(await only(query)).state, (await only(query)).live], ["revoked", 1]);
    await openQuarantine(node.v, callerWith(node, ["operator"]), { artifact: one.digest, reason: "a test" });
    await untilRevoked(node, one.digest);
    assert.deepEqual([(await only(query)).state, (await only(query)).live], ["revoked", 0]);
    assert.equal((await list({ state: "revoked", subject: query.subject })).length, 1);
    assert.equal((await list({ state: "live", subject: query.subject })).length, 0);
  });

  test("has what outside issuers granted and took back, and nothing of what they only refused", async () => {
    const { digest } = await release(house, node);
    const query = { subject: `job of ${digest}` };
    await record(digest, "deny");
    assert.deepEqual(await list(query), []);
    await record(digest, "allow");
    const granted = await only(query);
    assert.deepEqual(
      [granted.issuer, granted.workload, granted.state, granted.expiresAt, granted.digests],
      ["https://tokens.example", null, "live", null, [digest]],
    );
    await record(digest, "allow", new Date(Date.now() - HOUR).toISOString());
    assert.deepEqual([(await only(query)).state, (await only(query)).grants], ["ended", 2]);
    await record(digest, "deny");
    assert.equal((await only(query)).state, "revoked");
    await record(digest, "allow");
    assert.equal((await only(query)).state, "live");
    assert.deepEqual((await only(query)).marks, ["orphaned", "unowned"], "no token of that id is there");
  });

  test("gives pages, the newest first", async () => {
    for (let granted = 0; granted < 3; granted += 1) await record(sha256(randomBytes(32)), "allow");
    const all = await list();
    const caller = callerWith(node, ["auditor"]);
    const paged: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await listInventory(node.v, caller, { limit: 2, ...(after !== undefined && { after }) });
      paged.push(...page.inventory.map(({ subject }) => subject));
      if (page.next === null) break;
      after = page.next;
    }
    assert.deepEqual(
      paged,
      all.map(({ subject }) => subject),
    );
    assert.deepEqual(
      all.map(({ firstIndex }) => firstIndex),
      all.map(({ firstIndex }) => firstIndex).sort((a, b) => b - a),
    );
  });

  test("an installation that grew before it had an inventory comes to the same one", async () => {
    const backfill = migration
      .slice(migration.indexOf("insert into inventory"))
      .replaceAll("insert into inventory", "insert into inventory_again");
    const { kept, again } = await node.v.database.kysely.connection().execute(async (db) => {
      await sql`create temp table inventory_again (like inventory)`.execute(db);
      for (const statement of backfill.split(";\n").filter((text) => text.trim() !== "")) {
        await sql.raw(statement).execute(db);
      }
      const rows = async (table: string) =>
        (await sql`select * from ${sql.table(table)} order by id`.execute(db)).rows;
      return { kept: await rows("inventory"), again: await rows("inventory_again") };
    });
    assert.ok(kept.length > 5);
    assert.deepEqual(again, kept);
    assert.deepEqual((await fsck(node.v.database)).findings, []);
  });

  test("marks who never renewed, whose policy or requester is gone, and whom nobody owns", async () => {
    const { digest } = await release(house, node);
    const key = newKey();
    const [svid] = (
      await issueX509Svids(node.v, agentCaller(node), {
        csr: key.csr,
        selectors: SELECTORS,
        components: { executable: [digest] },
      })
    ).svids;
    const query = { subject: svid?.spiffeId ?? "" };
    assert.deepEqual((await only(query)).marks, ["unowned"]);

    const active = await activePolicies(node.v.database.kysely, node.v.project);
    const { files } = await node.v.documents.policies(node.v.project, active?.document ?? "");
    const edit = async (text: string, previous: string | null) =>
      activatePolicies(node.v, callerWith(node, ["operator"]), {
        documents: files.map((file) => (file.name === "workloads.yaml" ? { ...file, text } : file)),
        previous,
      });
    const owned = WORKLOADS.replace("name: widget }", 'name: widget, owner: "team-widget@acme.example" }');
    const { policySet } = await edit(owned, active?.policySet ?? null);
    assert.deepEqual(
      [(await only(query)).marks, (await only(query)).owner],
      [[], "team-widget@acme.example"],
    );

    const other = await release(house, node);
    const tokens = await issueJwtSvids(node.v, agentCaller(node), {
      audiences: ["https://api.example.org"],
      selectors: SELECTORS,
      components: { executable: [other.digest] },
    });
    await fetchX509(node, agentCaller(node, "node-3"), digest);
    const strangers = await list({ ...query, requester: "spiffe://vouchsafe.local/vouchsafe/agent/node-3" });
    assert.deepEqual(
      strangers.map(({ marks }) => marks),
      [["orphaned"]],
      "an agent that has not joined",
    );

    // A whole life went by; the agents' certificates last as long.
    node.advance(HOUR / 2);
    const ended = await list(query);
    assert.deepEqual(
      ended.map(({ state, live, marks }) => [state, live, marks]),
      [
        ["ended", 0, ["never-renewed", "orphaned"]],
        ["ended", 0, ["never-renewed"]],
      ],
    );
    assert.deepEqual(
      (await only({ subject: tokens.svids[0]?.spiffeId ?? "" })).marks,
      [],
      "a JWT is not renewed",
    );
    assert.ok((await list({ mark: "never-renewed" })).some(({ subject }) => subject === query.subject));

    await edit(WORKLOADS.replace("name: widget }", "name: other }"), policySet);
    for (const { marks, owner } of await list(query)) {
      assert.deepEqual([marks, owner], [["never-renewed", "orphaned", "unowned"], null]);
    }
  });
});
