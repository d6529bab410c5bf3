import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { Writer } from "../../../src/custody/writer.ts";
import type { AgentCredential } from "../../../src/identity/agent-proof.ts";
import { renewAgent } from "../../../src/services/agents/renew-agent.ts";
import { revokeAgent } from "../../../src/services/agents/revoke-agent.ts";
import { assertDescribed } from "../../http/described.ts";
import type { TestNode } from "../../http/node.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import {
  agentCaller,
  fetchX509,
  type IdentityHouse,
  joinThroughDoor,
  newKey,
  openIdentityHouse,
  proven,
  release,
} from "../identities/identity-house.ts";
import { callerWith } from "../release-node.ts";

const REVOKED = { name: "VouchsafeError", code: "agent-proof-invalid" };

describe("an agent that is revoked", () => {
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

  const revoke = (node: TestNode, agent: string) =>
    revokeAgent(node.v, callerWith(node, ["operator"]), { agent, reason: "disk lost" });

  async function watch(node: TestNode, agent: AgentCredential) {
    const answer = await node.app.inject(proven(agent, { method: "GET", path: "/identities/watch" }));
    return answer.statusCode === 200 ? "taken" : answer.json().code;
  }

  /** The agent as a service sees it whose request was taken before the revocation. */
  function admitted(node: TestNode, agent: AgentCredential, name: string) {
    const [leaf = Buffer.alloc(0)] = agent.chain;
    const { serialNumber } = new X509Certificate(leaf);
    return {
      ...agentCaller(node, name),
      agent: { spiffeId: agent.spiffeId, serial: serialNumber.toLowerCase() },
    };
  }

  /** The node, at which something happens just before it appends events of this type for the first time. */
  function interrupted(node: TestNode, type: string, meanwhile: () => Promise<unknown>): TestNode {
    let done = false;
    const append: Writer["append"] = async (proposal) => {
      if (!done && proposal.events.some((event) => event.type === type)) {
        done = true;
        await meanwhile();
      }
      return node.v.writer.append(proposal);
    };
    return { ...node, v: { ...node.v, writer: { ...node.v.writer, append } } };
  }

  test("is refused by every node at once, through whichever of its certificates; others are not", async () => {
    const first = await joinThroughDoor(a, "node-1");
    const other = await joinThroughDoor(a, "node-2");
    const { key, csr } = newKey();
    const renewed = await b.app.inject(
      proven(first, { method: "POST", path: "/agents/renew", json: { csr } }),
    );
    const second = {
      ...first,
      chain: renewed.json<{ chain: string[] }>().chain.map((der) => Buffer.from(der, "base64")),
      key,
    };
    assert.deepEqual([await watch(a, first), await watch(b, second)], ["taken", "taken"]);

    const answer = await a.app.inject({
      method: "POST",
      url: "/agents/revoke",
      headers: { authorization: `Bearer ${await a.token(["operator"])}` },
      payload: { agent: first.spiffeId, reason: "disk lost" },
    });
    assert.equal(answer.statusCode, 201);
    assertDescribed(a.app, "POST /agents/revoke", answer);
    const answers = [
      await watch(a, first),
      await watch(b, first),
      await watch(a, second),
      await watch(b, second),
    ];
    assert.deepEqual(answers, Array(4).fill("agent-proof-invalid"));
    assert.equal(await watch(b, other), "taken");
  });

  test("is taken again when it joins anew, and only by its new certificate", async () => {
    const before = await joinThroughDoor(a, "node-3");
    await revoke(b, before.spiffeId);
    const after = await joinThroughDoor(b, "node-3");
    assert.equal(await watch(a, after), "taken");
    assert.equal(await watch(a, before), "agent-proof-invalid");
  });

  test("is granted nothing by a request that another node had taken before", async () => {
    const { digest } = await release(house, a);
    const agent = await joinThroughDoor(a, "node-4");
    const stopped = interrupted(b, "identity.issued", () => revoke(a, agent.spiffeId));
    await assert.rejects(fetchX509(stopped, admitted(b, agent, "node-4"), digest), REVOKED);
  });

  test("renews nothing by a request that another node had taken before", async () => {
    const agent = await joinThroughDoor(a, "node-5");
    const stopped = interrupted(b, "agent.joined", () => revoke(a, agent.spiffeId));
    const caller = admitted(b, agent, "node-5");
    await assert.rejects(renewAgent(stopped.v, caller, { csr: newKey().csr }), REVOKED);
  });

  test("must have joined", async () => {
    await assert.rejects(revoke(a, "spiffe://vouchsafe.local/vouchsafe/agent/nobody"), {
      code: "not-found",
    });
  });
});
