import assert from "node:assert/strict";
import { randomUUID, X509Certificate } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { RevokedIdentities } from "../../../src/custody/revoked-identities.ts";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { activePolicies } from "../../../src/db/activations.ts";
import { searchIdentities } from "../../../src/db/identities.ts";
import { readChain } from "../../../src/db/log.ts";
import { VouchsafeError } from "../../../src/errors.ts";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";
import { activatePolicies } from "../../../src/services/activation/activate-policies.ts";
import { revokeAgent } from "../../../src/services/agents/revoke-agent.ts";
import { sweepIdentities } from "../../../src/services/identities/sweep-identities.ts";
import { watchIdentities } from "../../../src/services/identities/watch-identities.ts";
import { liftQuarantine, openQuarantine } from "../../../src/services/incidents/quarantine.ts";
import { revokeEvidence } from "../../../src/services/incidents/revocations.ts";
import { fsck } from "../../../src/services/log/fsck.ts";
import type { TestNode } from "../../http/node.ts";
import { RELEASE_POLICY } from "../../http/release.ts";
import { counted } from "../../support/counted.ts";
import { packOf } from "../../support/packs.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { files } from "../edited-policies.ts";
import { callerWith } from "../release-node.ts";
import {
  agentCaller,
  fetchX509,
  type IdentityHouse,
  joinThroughDoor,
  openIdentityHouse,
  release,
  untilRevoked,
  WORKLOADS,
} from "./identity-house.ts";

const MINUTE = 60_000;

describe("live identities when what they rest on changes", () => {
  let postgres: TestPostgres;
  let house: IdentityHouse;
  let a: TestNode;
  let b: TestNode;

  before(async () => {
    postgres = await createPostgres();
    house = await openIdentityHouse(postgres);
    [a, b] = await Promise.all([house.open(), house.open()]);
  });
  after(async () => {
    const { findings } = await fsck(a.v.database);
    await house.close();
    await postgres.drop();
    await stopPostgres();
    assert.deepEqual(findings, []);
  });

  const operator = () => callerWith(a, ["operator"]);
  const quarantine = (artifact: Digest) => openQuarantine(a.v, operator(), { artifact, reason: "leaks" });
  async function activate(policies: string, workloads = WORKLOADS): Promise<void> {
    const active = await activePolicies(a.v.database.kysely, a.v.project);
    const documents = files(policies, workloads);
    await activatePolicies(a.v, operator(), { documents, previous: active?.policySet ?? null });
  }

  async function revokedIn(digest: Digest) {
    const events = await readChain(a.v.database.kysely, a.v.project, digest, { types: ["identity.revoked"] });
    return events.map(({ body }) => body as unknown as RevokedIdentities);
  }

  const live = ({ v }: TestNode, digest: Digest) =>
    searchIdentities(v.database.kysely, v.project, { digest, liveAt: v.clock(), limit: 100 });

  const serialsOf = (bodies: readonly RevokedIdentities[]) =>
    bodies.flatMap(({ identities }) => identities.map(({ serial }) => serial));

  test("a quarantine takes back what was granted for its digest, each once, and nothing else", async () => {
    const [{ digest }, other] = [await release(house, a), await release(house, a)];
    const granted = await Promise.all(
      Array.from({ length: 20 }, (_, i) => fetchX509(i % 2 ? a : b, agentCaller(a), digest)),
    );
    await fetchX509(b, agentCaller(b), other.digest);
    const { receipt } = await quarantine(digest);
    await untilRevoked(b, digest);
    const bodies = await revokedIn(digest);
    const serials = granted.flatMap(({ svids }) => svids.map(({ serial }) => serial));
    assert.deepEqual(serialsOf(bodies).sort(), serials.sort());
    for (const { reasons, cause, digests } of bodies) {
      assert.deepEqual([reasons, cause, digests], [["quarantined"], receipt.index, [digest]]);
    }
    assert.equal((await live(a, other.digest)).length, 1);
    assert.deepEqual(await revokedIn(other.digest), []);

    const pack = await packOf(a.v, callerWith(a, ["auditor"]), digest);
    const { ok, checks } = verifyPack(pack, a.v.log.verifierKey);
    assert.ok(ok);
    assert.ok(checks.some(({ statement }) => statement.includes("revoked before the end: quarantined")));
  });

  test("sweeps that run into one another revoke each identity once", async () => {
    const { digest } = await release(house, a);
    const granted = await Promise.all(Array.from({ length: 12 }, () => fetchX509(a, agentCaller(a), digest)));
    const { receipt } = await quarantine(digest);
    const moved = new Map([[digest, receipt.index]]);
    await Promise.all([a, b, a, b].map(({ v }) => sweepIdentities(v, v.project, moved, async () => true)));
    assert.deepEqual(await live(a, digest), []);
    const serials = granted.flatMap(({ svids }) => svids.map(({ serial }) => serial));
    assert.deepEqual(serialsOf(await revokedIn(digest)).sort(), serials.sort());
  });

  test("one digest of which there is no word now does not keep the others from being taken back", async () => {
    const [one, other] = [await release(house, a), await release(house, a)];
    for (const { digest } of [one, other]) await fetchX509(a, agentCaller(a), digest);
    await b.v.database.transaction((query) =>
      query("update sweep_lease set holder = $1, until = clock_timestamp() + interval '20 seconds'", [
        randomUUID(),
      ]),
    );
    // Whoever had its turn asks again by then.
    await sleep(3_500);
    const { receipt } = await quarantine(other.digest);
    const kysely = b.v.database.kysely.withPlugin({
      transformQuery({ node }) {
        if (JSON.stringify(node).includes(one.digest))
          throw new VouchsafeError("unavailable", "Too much waits");
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    const v = { ...b.v, database: { ...b.v.database, kysely } };
    const swept = sweepIdentities(v, v.project, new Map([["*", null]]), async () => true);
    assert.ok((await swept)?.has(one.digest), "it is looked at again");
    assert.deepEqual([(await live(a, one.digest)).length, (await live(a, other.digest)).length], [1, 0]);
    const causes = (await revokedIn(other.digest)).map(({ cause }) => cause);
    assert.deepEqual(causes, [receipt.index], "also where it came after what moved was looked for");
    const [named] = await live(a, one.digest);
    const target = { spiffeId: named?.spiffeId ?? "" };
    const { id } = await openQuarantine(a.v, operator(), { target, reason: "an impostor" });
    await sweepIdentities(v, v.project, new Map([["*", null]]), async () => true);
    assert.deepEqual(await live(a, one.digest), [], "its name alone is reason enough");
    await liftQuarantine(a.v, operator(), { id, reason: "it was none" });
    await b.v.database.transaction((query) => query("update sweep_lease set until = '-infinity'"));
  });

  test("what was lifted again before anybody looked is left", async () => {
    const { digest } = await release(house, a);
    await fetchX509(a, agentCaller(a), digest);
    const moved = new Map([[digest, null]]);
    const swept = await sweepIdentities(b.v, b.v.project, moved, async () => true);
    assert.ok(swept);
    assert.equal((await live(a, digest)).length, 1);
    await quarantine(digest).then(({ id }) => liftQuarantine(a.v, operator(), { id, reason: "a mistake" }));
    await sweepIdentities(b.v, b.v.project, moved, async () => true);
    for (const { reasons } of await revokedIn(digest)) assert.deepEqual(reasons, ["quarantined"]);
  });

  test("evidence that is revoked, and a workload policy that is withdrawn", async () => {
    const { digest } = await release(house, a);
    await fetchX509(a, agentCaller(a), digest);
    await revokeEvidence(b.v, operator(), { target: { artifact: digest }, reason: "stolen key" });
    await untilRevoked(a, digest);
    const [body] = await revokedIn(digest);
    assert.deepEqual(body?.reasons, ["evidence-revoked"]);

    const { digest: second } = await release(house, a);
    await fetchX509(a, agentCaller(a), second);
    await activate(
      RELEASE_POLICY,
      WORKLOADS.replace("name: widget }", "name: widget2 }").replace("uid:1000", "uid:1001"),
    );
    await untilRevoked(b, second);
    assert.deepEqual((await revokedIn(second))[0]?.reasons, ["no-workload-policy"]);
    await activate(RELEASE_POLICY);
  });

  test("an agent that is revoked loses what it was granted, and no other agent does", async () => {
    const { digest } = await release(house, a);
    await joinThroughDoor(a, "node-lost");
    await fetchX509(a, agentCaller(a, "node-lost"), digest);
    await fetchX509(a, agentCaller(a, "node-kept"), digest);
    const { spiffeId } = agentCaller(a, "node-lost").agent ?? { spiffeId: "" };
    await revokeAgent(b.v, operator(), { agent: spiffeId, reason: "disk lost" });
    while ((await live(a, digest)).length > 1) await sleep(20);
    const [body] = await revokedIn(digest);
    assert.deepEqual(body?.reasons, ["agent-revoked"]);
    assert.deepEqual(
      body?.identities.map(({ requester }) => requester),
      [spiffeId],
    );
  });

  test("an agent's watch does not look through what lives for each grant that others are given", async () => {
    const { digest } = await release(house, a);
    const agent = agentCaller(a, "node-watching");
    await fetchX509(a, agent, digest);
    const { asOf } = await watchIdentities(b.v, agent, undefined, AbortSignal.timeout(30_000));
    const { v, count } = counted(b.v, "unnest(i.digests)");
    const told = watchIdentities(v, agent, asOf, AbortSignal.timeout(30_000));
    for (let i = 0; i < 4; i += 1) {
      await fetchX509(a, agentCaller(a, "node-busy"), digest);
      await sleep(250);
    }
    assert.equal(count(), 0);
    await quarantine(digest);
    assert.deepEqual((await told).touched, [digest]);
  });

  test("what time ends before the SVID does is revoked then, and its agent is told", async () => {
    const { digest } = await release(house, a);
    const agent = agentCaller(a, "node-timed");
    await activate(RELEASE_POLICY.replace("spec:\n", "spec:\n  maxAge: 20m\n"));
    for (const node of [a, b]) node.advance(12 * MINUTE);
    await fetchX509(a, agent, digest);
    assert.equal((await live(a, digest)).length, 1);
    await activate(RELEASE_POLICY.replace("spec:\n", "spec:\n  maxAge: 15m\n"));
    const { asOf } = await watchIdentities(b.v, agent, undefined, AbortSignal.timeout(30_000));
    assert.equal((await live(a, digest)).length, 1);
    const told = watchIdentities(b.v, agent, asOf, AbortSignal.timeout(30_000));
    for (const node of [a, b]) node.advance(4 * MINUTE);
    await untilRevoked(a, digest);
    assert.deepEqual(
      (await told).touched.filter((key) => key === digest),
      [digest],
    );
    assert.equal((await revokedIn(digest)).length, 1);
    await activate(RELEASE_POLICY);
  });

  test("revoked certificates are on the authority's list on every node until they have expired, an agent's own too", async () => {
    const { digest } = await release(house, a);
    const { certificates, svids } = await fetchX509(a, agentCaller(a), digest);
    const joined = await joinThroughDoor(a, "node-listed");
    const agentSerial = new X509Certificate(joined.chain[0] ?? Buffer.alloc(0)).serialNumber;
    const serials = [svids[0]?.serial ?? "", agentSerial].map((serial) => Buffer.from(serial, "hex"));
    const [issuer] = a.v.authority.signers().map((signer) => signer.issuer);
    const listed = async (node: TestNode) => {
      const answer = await node.app.inject({ method: "GET", url: `/crl/${issuer}` });
      assert.equal(answer.headers["content-type"], "application/pkix-crl");
      return serials.map((serial) => answer.rawPayload.includes(serial));
    };
    const until = async (node: TestNode, wanted: readonly boolean[]) => {
      const deadline = performance.now() + 20_000;
      while ((await listed(node)).join() !== wanted.join()) {
        assert.ok(performance.now() < deadline, `${await listed(node)}`);
        await sleep(50);
      }
    };
    assert.equal(certificates.length, 1);
    await until(a, [false, false]);
    await quarantine(digest);
    await until(b, [true, false]);
    await revokeAgent(b.v, operator(), { agent: joined.spiffeId, reason: "disk lost" });
    await until(a, [true, true]);
    for (const node of [a, b]) node.advance(11 * MINUTE);
    await until(a, [false, true]);
    assert.equal((await a.app.inject({ method: "GET", url: "/crl/00ff" })).statusCode, 404);
  });
});
