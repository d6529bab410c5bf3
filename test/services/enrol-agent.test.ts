import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { readEvents } from "../../src/db/log.ts";
import { activatePolicies, readPolicies } from "../../src/services/activate-policies.ts";
import { revokeAgent } from "../../src/services/revoke-agent.ts";
import { call, fails, succeeds } from "../http/calls.ts";
import type { TestNode } from "../http/node.ts";
import { AUDIENCE, ISSUER, startCluster } from "../identity/cluster.ts";
import { type IdentityHouse, newKey, openIdentityHouse, proven } from "./identity-house.ts";
import { callerWith } from "./release-node.ts";

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
