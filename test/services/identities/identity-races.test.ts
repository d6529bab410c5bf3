import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Proposal, Writer } from "../../../src/custody/writer.ts";
import { readChain, readHead } from "../../../src/db/log.ts";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";
import { watchIdentities } from "../../../src/services/identities/watch-identities.ts";
import { liftQuarantine, openQuarantine } from "../../../src/services/incidents/quarantine.ts";
import type { TestNode } from "../../http/node.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { callerWith } from "../release-node.ts";
import {
  agentCaller,
  fetchX509,
  type IdentityHouse,
  joinThroughDoor,
  openIdentityHouse,
  proven,
  release,
} from "./identity-house.ts";

const MINUTE = 60_000;

describe("identities on two nodes", () => {
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
    await house.close();
    await postgres.drop();
    await stopPostgres();
  });

  const quarantine = (node: TestNode, artifact: Digest) =>
    openQuarantine(node.v, callerWith(node, ["operator"]), { artifact, reason: "leaks" });

  const lift = (node: TestNode, id: string) =>
    liftQuarantine(node.v, callerWith(node, ["operator"]), { id, reason: "a mistake" });

  async function typesOf(digest: Digest): Promise<string[]> {
    return (await readChain(a.v.database.kysely, a.v.project, digest)).map(({ type }) => type);
  }

  /** The node, stopped around each append of an identity: what happens meanwhile is up to the test. */
  function stopping(
    node: TestNode,
    stop: { before?: () => Promise<unknown>; after?: () => Promise<unknown> },
  ) {
    const append: Writer["append"] = async (proposal: Proposal) => {
      if (!proposal.events.some(({ type }) => type === "identity.issued"))
        return node.v.writer.append(proposal);
      await stop.before?.();
      const appended = await node.v.writer.append(proposal);
      await stop.after?.();
      return appended;
    };
    return { ...node, v: { ...node.v, writer: { ...node.v.writer, append } } };
  }

  test("a node that is stopped between deciding and recording grants nothing past a quarantine of another", async () => {
    const { digest } = await release(house, b);
    let stopped = 0;
    const node = stopping(b, {
      before: async () => {
        stopped += 1;
        await quarantine(a, digest);
      },
    });
    await assert.rejects(fetchX509(node, agentCaller(b), digest), { code: "identity-denied" });
    assert.equal(stopped, 1);
    assert.deepEqual(await typesOf(digest), [
      "evidence.accepted",
      "verdict.passed",
      "quarantine.opened",
      "identity.denied",
    ]);
  });

  test("a node that is stopped between recording and signing does not sign what it recorded long ago", async () => {
    const { digest } = await release(house, b);
    const node = stopping(b, { after: async () => b.advance(6_000) });
    await assert.rejects(fetchX509(node, agentCaller(b), digest), { code: "unavailable" });
    assert.equal((await typesOf(digest)).at(-1), "identity.issued");
  });

  test("what was quarantined and lifted again meanwhile is decided anew and granted", async () => {
    const { digest } = await release(house, b);
    let moved = false;
    const node = stopping(b, {
      before: async () => {
        if (moved) return;
        moved = true;
        await quarantine(a, digest).then(({ id }) => lift(a, id));
      },
    });
    const { svids } = await fetchX509(node, agentCaller(b), digest);
    assert.equal(svids.length, 1);
    assert.deepEqual((await typesOf(digest)).slice(-3), [
      "quarantine.opened",
      "quarantine.lifted",
      "identity.issued",
    ]);
  });

  test("many processes of one artifact do not make one another's grants stale", async () => {
    const { digest } = await release(house, a);
    let appends = 0;
    const counting = (node: TestNode) =>
      stopping(node, {
        before: async () => {
          appends += 1;
        },
      });
    const nodes = [counting(a), counting(b)];
    const asked = Array.from({ length: 40 }, (_, i) => nodes[i % 2] as TestNode);
    const answers = await Promise.all(asked.map((node) => fetchX509(node, agentCaller(node), digest)));
    assert.equal(new Set(answers.map(({ svids }) => svids[0]?.serial)).size, 40);
    assert.equal(appends, 40);
  });

  test("whoever watches is told at once of a quarantine on another node, and of nothing else", async () => {
    const { digest } = await release(house, b);
    const agent = agentCaller(b, "node-watching");
    await fetchX509(b, agent, digest);
    const { asOf } = await watchIdentities(b.v, agent, undefined, AbortSignal.timeout(30_000));
    const change = watchIdentities(b.v, agent, asOf, AbortSignal.timeout(30_000));
    const other = await release(house, a);
    await fetchX509(a, agent, digest);
    const { size } = await readHead(a.v.database.kysely);
    const since = performance.now();
    await quarantine(a, other.digest);
    await quarantine(a, digest);
    const told = await change;
    // A second, where the machine is not busy; by asking again it would have known after half a minute.
    assert.ok(performance.now() - since < 10_000);
    assert.deepEqual(told.touched, [digest]);
    assert.ok(told.asOf > size);
  });

  test("a proof that one node took is taken by no other", async () => {
    const agent = await joinThroughDoor(a, "node-1");
    const request = proven(agent, { method: "GET", path: "/identities/watch" });
    assert.equal((await a.app.inject(request)).statusCode, 200);
    assert.equal((await b.app.inject(request)).json().code, "agent-proof-replayed");
    const another = proven(agent, { method: "GET", path: "/identities/watch" });
    assert.equal((await b.app.inject(another)).statusCode, 200);
  });

  test("of one proof sent to both nodes at once, exactly one is taken", async () => {
    const agent = await joinThroughDoor(a, "node-2");
    const request = proven(agent, { method: "GET", path: "/identities/watch" });
    const answers = await Promise.all([a, b, a, b].map((node) => node.app.inject(request)));
    const codes = answers.map((answer) => (answer.statusCode === 200 ? "taken" : answer.json().code));
    assert.deepEqual(codes.sort(), [...Array(3).fill("agent-proof-replayed"), "taken"]);
  });

  test("a proof is remembered for nodes whose clocks are behind by up to ten minutes, and no longer", async () => {
    const ahead = await house.open();
    const agent = await joinThroughDoor(a, "node-3");
    const watch = { method: "GET", path: "/identities/watch" } as const;
    const request = proven(agent, watch);
    assert.equal((await a.app.inject(request)).statusCode, 200);
    // Each proof that is taken on the way has the node forget others.
    const takeAnother = () => ahead.app.inject(proven(agent, watch, ahead.v.clock()));
    ahead.advance(10 * MINUTE);
    assert.equal((await takeAnother()).statusCode, 200);
    assert.equal((await b.app.inject(request)).json().code, "agent-proof-replayed");
    ahead.advance(2 * MINUTE);
    assert.equal((await takeAnother()).statusCode, 200);
    assert.equal((await b.app.inject(request)).statusCode, 200);
  });

  test("a watch ends when nobody waits for it any longer", async () => {
    const gone = new AbortController();
    const { size } = await readHead(a.v.database.kysely);
    const watching = watchIdentities(a.v, agentCaller(a, "node-gone"), size, gone.signal);
    gone.abort();
    assert.deepEqual((await watching).touched, []);
  });
});
