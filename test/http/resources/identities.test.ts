import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { type AgentCredential, makeAgentProof } from "../../../src/identity/agent-proof.ts";
import { createX509Minter, serialFrom, type X509Minter } from "../../../src/identity/x509-svid.ts";
import { testAuthority } from "../../identity/trust-domain.ts";
import {
  type AgentCall,
  type IdentityHouse,
  joinThroughDoor,
  newKey,
  openIdentityHouse,
  proven,
  release,
  SELECTORS,
} from "../../services/identities/identity-house.ts";
import { call, fails, succeeds } from "../calls.ts";
import { assertDescribed } from "../described.ts";
import { type TestNode, turn } from "../node.ts";

let house: IdentityHouse;
let node: TestNode;
before(async () => {
  house = await openIdentityHouse();
  node = await house.open();
});
after(() => house.close());

/** Sends a request as it was proved, or changed on its way. */
async function send(request: ReturnType<typeof proven>, changed: Partial<ReturnType<typeof proven>> = {}) {
  await turn();
  return node.app.inject({ ...request, ...changed });
}

function x509Call(digest: string): AgentCall {
  const json = { csr: newKey().csr, selectors: SELECTORS, components: { executable: [digest] } };
  return { method: "POST", path: "/svid/x509", json };
}

describe("joining", () => {
  test("gives an agent its certificate for a join token, once", async () => {
    const token = await node.token(["agent"], { name: "node-a" });
    const { csr } = newKey();
    const joined = await succeeds(node.app, 201, "POST /agents", { as: token, json: { csr } });
    assert.equal(joined.spiffeId, "spiffe://vouchsafe.local/vouchsafe/agent/node-a");
    assert.equal(joined.bundle.x509Authorities.length, 1);
    await fails(node.app, "unauthenticated", "POST /agents", { as: token, json: { csr: newKey().csr } });
  });

  test("of two that join with one token at once, one gets in", async () => {
    const token = await node.token(["agent"], { name: "node-b" });
    const answers = await Promise.all(
      [1, 2, 3].map(() => call(node.app, "POST /agents", { as: token, json: { csr: newKey().csr } })),
    );
    assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [201, 401, 401]);
  });

  test("is refused without the key, and under a name that no agent can have, and the token stays good", async () => {
    const token = await node.token(["agent"], { name: "node-c" });
    await fails(node.app, "invalid-csr", "POST /agents", { as: token, json: { csr: "MAA=" } });
    await succeeds(node.app, 201, "POST /agents", { as: token, json: { csr: newKey().csr } });
    const odd = await node.token(["agent"], { name: "../server" });
    await fails(node.app, "invalid-spiffe-id", "POST /agents", { as: odd, json: { csr: newKey().csr } });
  });

  test("a join token is for nothing else", async () => {
    const token = await node.token(["agent"], { name: "node-d" });
    const { json } = x509Call(`sha256:${"0".repeat(64)}`);
    await fails(node.app, "forbidden", "POST /svid/x509", { as: token, json });
    await fails(node.app, "forbidden", "GET /identities/watch", { as: token });
    await fails(node.app, "forbidden", "POST /agents/renew", { as: token, json: { csr: newKey().csr } });
  });
});

describe("an agent that has joined", () => {
  let agent: AgentCredential;
  let digest: string;
  before(async () => {
    agent = await joinThroughDoor(node, "node-1");
    digest = (await release(house, node)).digest;
  });

  test("gets SVIDs, which an auditor then finds, and validates them by the public bundle", async () => {
    const answer = await send(proven(agent, x509Call(digest)));
    assert.equal(answer.statusCode, 201, answer.body);
    assertDescribed(node.app, "POST /svid/x509", answer);
    const [svid] = answer.json().svids;

    const jwt = {
      audiences: ["https://api.example.org"],
      selectors: SELECTORS,
      components: { executable: [digest] },
    };
    const token = await send(proven(agent, { method: "POST", path: "/svid/jwt", json: jwt }));
    assertDescribed(node.app, "POST /svid/jwt", token);
    assert.equal(token.statusCode, 201, token.body);

    const auditor = await node.token(["auditor"]);
    const query = { digest, live: "true" };
    const { identities } = await succeeds(node.app, 200, "GET /identities", { as: auditor, query });
    assert.deepEqual(
      identities.map(({ kind, requester }: Record<string, string>) => [kind, requester]),
      [
        ["jwt", agent.spiffeId],
        ["x509", agent.spiffeId],
      ],
    );
    assert.equal(identities[1].serial, svid.serial);
    const of = { serial: svid.serial, workload: svid.workload, requester: agent.spiffeId };
    for (const query of [of, { ...of, requester: "issuer:broker" }, { ...of, workload: "elsewhere" }]) {
      const found = await succeeds(node.app, 200, "GET /identities", { as: auditor, query });
      assert.equal(found.identities.length, query === of ? 1 : 0);
    }
    const held = { as: auditor, query: { digest, state: "live", mark: "unowned" } };
    const { inventory } = await succeeds(node.app, 200, "GET /inventory", held);
    assert.deepEqual(
      inventory.map(({ subject, live, grants }: Record<string, unknown>) => [subject, live, grants]),
      [[svid.spiffeId, 2, 2]],
    );
    const wrong = { as: auditor, query: { mark: "forgotten" } };
    await fails(node.app, "invalid-request", "GET /inventory", wrong);
    const bundle = (await node.app.inject("/trust-bundle")).json();
    assert.deepEqual(bundle.keys.map(({ use }: Record<string, string>) => use).sort(), [
      "jwt-svid",
      "x509-svid",
    ]);
    assert.equal((await node.app.inject("/jwks.json")).json().keys.length, 1);
  });

  test("is denied with the reasons where nothing lets it", async () => {
    const answer = await send(proven(agent, x509Call(`sha256:${"0".repeat(64)}`)));
    assert.equal(answer.statusCode, 403);
    assertDescribed(node.app, "POST /svid/x509", answer);
    const { code, reasons } = answer.json();
    assert.deepEqual(
      [code, reasons[0].code, reasons[0].policy],
      ["identity-denied", "no-verdict", "release"],
    );
  });

  test("renews its certificate by the one that it has, and by the next one then", async () => {
    const { key, csr } = newKey();
    const renew = (credential: AgentCredential, request: string) =>
      send(proven(credential, { method: "POST", path: "/agents/renew", json: { csr: request } }));
    const renewed = await renew(agent, csr);
    assert.equal(renewed.statusCode, 201, renewed.body);
    const chain = renewed.json().chain.map((der: string) => Buffer.from(der, "base64"));
    assert.equal((await renew({ ...agent, key, chain }, newKey().csr)).statusCode, 201);
  });

  test("watches, with its query proved as well", async () => {
    const answer = await send(proven(agent, { method: "GET", path: "/identities/watch" }));
    assert.equal(answer.statusCode, 200, answer.body);
    assert.deepEqual(answer.json().touched, []);
    const request = proven(agent, { method: "GET", path: "/identities/watch?after=0" });
    assert.deepEqual((await send(request)).json().touched.includes("*"), true);
  });
});

describe("an agent's proof", () => {
  let agent: AgentCredential;
  let digest: string;
  before(async () => {
    agent = await joinThroughDoor(node, "node-2");
    digest = (await release(house, node)).digest;
  });

  const minted = async (mint: X509Minter, path: string): Promise<AgentCredential> => {
    const { key, spki } = newKey();
    const svid = await mint({
      spki,
      spiffeId: `spiffe://vouchsafe.local${path}` as AgentCredential["spiffeId"],
      serial: serialFrom(randomBytes(16)),
      notBefore: Date.now() - 1_000,
      notAfter: Date.now() + 60_000,
    });
    return { spiffeId: `spiffe://vouchsafe.local${path}` as AgentCredential["spiffeId"], chain: [svid], key };
  };

  const HOUR = 60 * 60_000;
  const other = () => Buffer.from(JSON.stringify(x509Call(digest).json));
  const refused: Record<string, () => Promise<{ json(): { code: string }; statusCode: number }>> = {
    "with another body": () => send(proven(agent, x509Call(digest)), { payload: other() }),
    "at another path": () => send(proven(agent, x509Call(digest)), { url: "/svid/jwt" }),
    "with another query": () =>
      send(proven(agent, { method: "GET", path: "/identities/watch" }), { url: "/identities/watch?after=1" }),
    "of long ago": () => send(proven(agent, x509Call(digest), Date.now() - 2 * 60_000)),
    "of the future": () => send(proven(agent, x509Call(digest), Date.now() + 2 * 60_000)),
    "by another key": () => send(proven({ ...agent, key: newKey().key }, x509Call(digest))),
    "of a certificate that was never recorded": async () =>
      send(
        proven(await minted(node.v.authority.current().x509, "/vouchsafe/agent/node-2"), x509Call(digest)),
      ),
    "of a foreign authority's certificate": async () =>
      send(
        proven(
          await minted(
            createX509Minter(testAuthority("vouchsafe.local", Date.now())),
            "/vouchsafe/agent/node-2",
          ),
          x509Call(digest),
        ),
      ),
    "of a workload's certificate": async () =>
      send(proven(await minted(node.v.authority.current().x509, "/widget"), x509Call(digest))),
    "that is no proof": () => {
      const request = proven(agent, x509Call(digest));
      return send(request, { headers: { ...request.headers, authorization: "Vouchsafe-Agent x.y.z" } });
    },
  };
  for (const [what, request] of Object.entries(refused)) {
    test(`${what} is refused`, async () => {
      const answer = await request();
      assert.deepEqual([answer.statusCode, answer.json().code], [401, "agent-proof-invalid"]);
    });
  }

  test("is refused the second time", async () => {
    const request = proven(agent, x509Call(digest));
    assert.equal((await send(request)).statusCode, 201);
    const again = await send(request);
    assert.deepEqual([again.statusCode, again.json().code], [401, "agent-proof-replayed"]);
  });

  test("opens no route that is not for agents", async () => {
    const answer = await send(proven(agent, { method: "GET", path: "/identities" }));
    assert.equal(answer.json().code, "unauthenticated");
  });

  test("is refused once its certificate has ended", async () => {
    node.advance(HOUR + 60_000);
    const call = x509Call(digest);
    const body = Buffer.from(JSON.stringify(call.json));
    const request = { method: "POST", path: "/svid/x509", body };
    const authorization = makeAgentProof(agent, request, randomBytes(16), node.v.clock());
    const answer = await node.app.inject({
      method: "POST",
      url: "/svid/x509",
      headers: { authorization, "content-type": "application/json" },
      payload: body,
    });
    assert.equal(answer.json().code, "agent-proof-invalid");
  });
});
