import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { readEvents } from "../../../src/db/log.ts";
import { makeJoinProof } from "../../../src/identity/join-proof.ts";
import { parseTrustDomain, spiffeId } from "../../../src/identity/spiffe-id.ts";
import type { SvidCredential } from "../../../src/identity/svid-proof.ts";
import { writeTrustBundle } from "../../../src/identity/trust-bundle.ts";
import { createX509Minter, serialFrom } from "../../../src/identity/x509-svid.ts";
import { activatePolicies, readPolicies } from "../../../src/services/activation/activate-policies.ts";
import { revokeAgent } from "../../../src/services/agents/revoke-agent.ts";
import { call, fails, succeeds } from "../../http/calls.ts";
import type { TestNode } from "../../http/node.ts";
import { AUDIENCE, ISSUER, startCluster } from "../../identity/cluster.ts";
import { type TestAuthority, testAuthority } from "../../identity/trust-domain.ts";
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

type Cluster = Awaited<ReturnType<typeof startCluster>>;

const rule = (name: string, { jwks }: Cluster, serviceAccounts = "[vouchsafe/agent]") => `
apiVersion: vouchsafe.dev/v1
kind: AgentEnrollment
metadata: { name: ${name} }
spec:
  kubernetes:
    cluster: ${name}
    issuer: ${ISSUER}
    audience: ${AUDIENCE}
    serviceAccounts: ${serviceAccounts}
    keys: '${jwks}'
`;

describe("agents that join by their pod's service-account token", () => {
  let house: IdentityHouse;
  let node: TestNode;
  let production: Cluster;
  let staging: Cluster;
  before(async () => {
    house = await openIdentityHouse();
    node = await house.open();
    [production, staging] = [await startCluster(), await startCluster()];
    await activate(rule("production", production), rule("staging", staging));
  });
  after(() => house.close());

  async function activate(...rules: string[]) {
    const operator = callerWith(node, ["operator"]);
    const { documents, policySet: previous } = await readPolicies(node.v, operator);
    const others = documents.filter(({ name }) => !name.startsWith("enrol-"));
    const enrolling = rules.map((text, i) => ({ name: `enrol-${i}.yaml`, text }));
    await activatePolicies(node.v, operator, { documents: [...others, ...enrolling], previous });
  }
  const json = (kubernetes: string) => ({ csr: newKey().csr, kubernetes });
  const enroll = (token: string) => succeeds(node.app, 201, "POST /agents/enroll", { json: json(token) });
  const refused = (token: string) =>
    fails(node.app, "unauthenticated", "POST /agents/enroll", { json: json(token) });

  test("are named for cluster, node and pod, and the log says by what they joined", async () => {
    const pod = randomUUID();
    const { spiffeId, receipt, serial } = await enroll(await production.project({ pod }));
    assert.equal(
      spiffeId,
      `spiffe://vouchsafe.local/vouchsafe/agent/k8s/production/worker-1.example.internal/${pod}`,
    );
    const [event] = await readEvents(node.v.database.kysely, node.v.project, [receipt.index]);
    const { by, token, ...body } = event?.body ?? {};
    assert.deepEqual(Object.assign({}, by), {
      rule: "production",
      method: "kubernetes",
      cluster: "production",
      serviceAccount: "vouchsafe/agent",
      node: "worker-1.example.internal",
      pod: "agent-x7k2p",
    });
    assert.deepEqual(
      [event?.type, body.agent, body.serial, body.renews],
      ["agent.joined", spiffeId, serial, null],
    );
    assert.match(String(token), /^k8s:sha256:[0-9a-f]{64}$/);
  });

  test("are told from another cluster's of the same issuer by the key", async () => {
    const { spiffeId } = await enroll(await staging.project());
    assert.match(spiffeId, /\/k8s\/staging\//);
    await refused(await (await startCluster()).project());
  });

  test("join once by a token, on whatever node of ours, and act as agents from then on", async () => {
    const token = await production.project();
    const { key, csr } = newKey();
    const joined = await succeeds(node.app, 201, "POST /agents/enroll", { json: { csr, kubernetes: token } });
    await refused(token);
    const answers = await Promise.all(
      [await production.project()].flatMap((one) =>
        [1, 2, 3].map(() => call(node.app, "POST /agents/enroll", { json: json(one) })),
      ),
    );
    assert.deepEqual(answers.map(({ statusCode }) => statusCode).sort(), [201, 401, 401]);

    const chain = joined.chain.map((der: string) => Buffer.from(der, "base64"));
    const agent = { spiffeId: joined.spiffeId, chain, key };
    const renewal = { method: "POST", path: "/agents/renew", json: { csr: newKey().csr } } as const;
    const renewed = await node.app.inject(proven(agent, renewal));
    assert.equal(renewed.statusCode, 201, renewed.body);
    assert.equal(renewed.json().spiffeId, joined.spiffeId);
  });

  test("get nothing for another account, or once their rule is gone; a revoked one does not come back", async () => {
    await refused(await production.project({ serviceAccount: "app" }));
    await refused(await production.project({ namespace: "default" }));
    const pod = randomUUID();
    const { spiffeId } = await enroll(await production.project({ pod }));
    await revokeAgent(node.v, callerWith(node, ["operator"]), { agent: spiffeId, reason: "host lost" });
    await refused(await production.project({ pod }));
    await enroll(await production.project());
    await activate(rule("staging", staging));
    await refused(await production.project());
    await enroll(await staging.project());
  });
});

describe("agents that join by an SVID", () => {
  const ours = parseTrustDomain("vouchsafe.local");
  const peer = parseTrustDomain("peer.example");
  let house: IdentityHouse;
  let node: TestNode;
  let authority: TestAuthority;
  before(async () => {
    house = await openIdentityHouse();
    node = await house.open();
    authority = testAuthority(peer, Date.now());
    const bundle = JSON.stringify(writeTrustBundle(authority.bundle));
    const federation = `
apiVersion: vouchsafe.dev/v1
kind: FederatedTrustDomain
metadata: { name: peer }
spec: { trustDomain: ${peer}, trustDomainBundle: '${bundle}' }
---
apiVersion: vouchsafe.dev/v1
kind: AgentEnrollment
metadata: { name: nodes }
spec: { svid: { spiffeIds: ["spiffe://peer.example/node/*", "spiffe://vouchsafe.local/widget/*"] } }
`;
    const operator = callerWith(node, ["operator"]);
    const { documents, policySet: previous } = await readPolicies(node.v, operator);
    const peers = { name: "peer.yaml", text: federation };
    await activatePolicies(node.v, operator, { documents: [...documents, peers], previous });
  });
  after(() => house.close());

  async function peerSvid(path: string) {
    const { key, spki } = newKey();
    const id = spiffeId(peer, path);
    const times = { notBefore: Date.now() - 1000, notAfter: Date.now() + 600_000 };
    const serial = serialFrom(randomBytes(16));
    const svid = await createX509Minter(authority)({ spki, spiffeId: id, serial, ...times });
    return { spiffeId: id, key, chain: [svid, ...authority.chain] };
  }
  function request(
    svid: SvidCredential,
    { server = ours, of = undefined as string | undefined, at = Date.now() } = {},
  ) {
    const { csr } = newKey();
    const proof = makeJoinProof(svid, server, Buffer.from(of ?? csr, "base64"), randomBytes(16), at);
    return { json: { csr, svid: proof } };
  }
  const join = (asked: ReturnType<typeof request>) => succeeds(node.app, 201, "POST /agents/enroll", asked);
  const fail = (code: string, asked: ReturnType<typeof request>) =>
    fails(node.app, code, "POST /agents/enroll", asked);

  test("of a trust domain that is federated with are named for it, once by each proof", async () => {
    const svid = await peerSvid("/node/a");
    const asked = request(svid);
    const { spiffeId: agent, receipt } = await join(asked);
    assert.equal(agent, "spiffe://vouchsafe.local/vouchsafe/agent/svid/peer.example/node/a");
    const [event] = await readEvents(node.v.database.kysely, node.v.project, [receipt.index]);
    const { serial: _, ...by } = Object.assign({}, event?.body.by) as Record<string, unknown>;
    assert.deepEqual(by, { rule: "nodes", method: "svid", spiffeId: svid.spiffeId });
    await fail("unauthenticated", asked);
    assert.equal((await join(request(svid))).spiffeId, agent);
    await revokeAgent(node.v, callerWith(node, ["operator"]), { agent, reason: "lost" });
    await fail("unauthenticated", request(svid));
  });

  test("prove this very request to this very server, now, and by an SVID that is believed", async () => {
    const svid = await peerSvid("/node/b");
    await fail("agent-proof-invalid", request(svid, { of: newKey().csr }));
    await fail("agent-proof-invalid", request(svid, { server: peer }));
    await fail("agent-proof-invalid", request(svid, { at: Date.now() - 120_000 }));
    await fail("agent-proof-invalid", request({ ...svid, key: newKey().key }));
    await fail("unauthenticated", request(await peerSvid("/app")));
    const stranger = testAuthority(peer, Date.now());
    const forged = { ...svid, chain: [svid.chain[0] ?? new Uint8Array(), ...stranger.chain] };
    const { key, spki } = newKey();
    const times = { notBefore: Date.now() - 1000, notAfter: Date.now() + 600_000 };
    const leaf = await createX509Minter(stranger)({
      spki,
      spiffeId: svid.spiffeId,
      serial: serialFrom(randomBytes(16)),
      ...times,
    });
    await fail("agent-proof-invalid", request({ ...forged, key, chain: [leaf, ...stranger.chain] }));
    await fail("invalid-request", { json: { ...request(svid).json, kubernetes: "x" } as never });
  });

  test("of our own join while they are not revoked; agents do not join as others", async () => {
    const { digest } = await release(house, node);
    const { svids, key } = await fetchX509(node, agentCaller(node), digest);
    const [svid] = svids;
    assert.ok(svid);
    const own = {
      spiffeId: svid.spiffeId,
      key,
      chain: svid.chain.map((der) => Buffer.from(der, "base64")),
    };
    assert.match(
      (await join(request(own))).spiffeId,
      /\/agent\/svid\/vouchsafe\.local\/widget\/[0-9a-f]{64}$/,
    );
    await fail("unauthenticated", request(await joinThroughDoor(node, "node-1")));
  });

  test("of our own do not join by one that the log did not grant: whoever stole a key would stay when it is retired", async () => {
    const { digest } = await release(house, node);
    const { svids } = await fetchX509(node, agentCaller(node), digest);
    const [granted] = svids;
    assert.ok(granted);
    const id = spiffeId(ours, new URL(granted.spiffeId).pathname);
    async function forged(serial: Uint8Array) {
      const { key, spki } = newKey();
      const times = { notBefore: Date.now() - 1000, notAfter: Date.now() + 600_000 };
      const signing = node.v.authority.current();
      const svid = await signing.x509({ spki, spiffeId: id, serial, ...times });
      return { spiffeId: id, key, chain: [svid, ...signing.chain] };
    }
    await fail("unauthenticated", request(await forged(serialFrom(randomBytes(16)))));
    // Not even with the serial number of one that was granted.
    await fail("unauthenticated", request(await forged(Buffer.from(granted.serial, "hex"))));
  });
});
