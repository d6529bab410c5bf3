/** Two tenants that have the same of everything: what one does to it, it does to its own. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { activatePolicies, readPolicies } from "../../src/services/activation/activate-policies.ts";
import { reevaluateEnded } from "../../src/services/decisions/reevaluate.ts";
import { sweepByItself } from "../../src/services/evidence/expire-evidence.ts";
import { diagnosticsOf } from "../../src/yaml/diagnostics.ts";
import { AUDIENCE, ISSUER as CLUSTER_ISSUER, startCluster } from "../identity/cluster.ts";
import { DAY, RETENTION } from "../services/evidence/retention-policies.ts";
import { newKey } from "../services/identities/identity-house.ts";
import { openReleaseHouse, type ReleaseHouse } from "../services/release-node.ts";
import { UNLESS_LONG } from "../support/long.ts";
import { call, fails, succeeds } from "./calls.ts";
import type { TestNode } from "./node.ts";
import { signRelease } from "./release.ts";
import {
  BUNDLE,
  ISSUER,
  joinAgent,
  openTenant,
  proofOf,
  provenance,
  type Tenant,
  x509Request,
} from "./tenant.ts";

let house: ReleaseHouse;
let node: TestNode;
let acme: Tenant;
let beta: Tenant;
/** A token of each with all that is needed here. */
const keys = new Map<Tenant, string>();
before(async () => {
  house = await openReleaseHouse();
  node = await house.open();
  [acme, beta] = [await openTenant(house, node, "acme"), await openTenant(house, node, "beta")];
  await makeTokens();
});
after(() => house.close());

async function makeTokens(): Promise<void> {
  for (const tenant of [acme, beta]) {
    const request = { name: ISSUER, policies: ["release"] };
    keys.set(tenant, await tenant.token(["operator", "uploader", "auditor", "issuer"], request));
  }
}

const as = (tenant: Tenant) => keys.get(tenant) ?? "";
const push = (tenant: Tenant, bytes: Uint8Array) =>
  call(node.app, "POST /attestations", { as: as(tenant), bytes, type: BUNDLE });
const decisionOf = async (tenant: Tenant, digest: string) =>
  (await succeeds(node.app, 200, "GET /verify-digest", { as: as(tenant), query: { digest } })).decision;

async function addPolicies(tenant: Tenant, documents: readonly { name: string; text: string }[]) {
  const operator = { project: tenant.id, token: "a test" };
  const active = await readPolicies(node.v, operator);
  const all = [...active.documents, ...documents];
  return activatePolicies(node.v, operator, { documents: all, previous: active.policySet });
}

test("the same evidence is each one's own: accepted, chained, revoked and quarantined apart", async () => {
  const { digest, bundle } = await provenance(house);
  const [first, second, again] = [
    await push(acme, bundle),
    await push(beta, bundle),
    await push(beta, bundle),
  ];
  assert.deepEqual(
    [first, second, again].map(({ statusCode }) => statusCode),
    [201, 201, 200],
  );
  assert.equal(first.json().attestation.id, second.json().attestation.id);
  assert.notEqual(first.json().receipt.index, second.json().receipt.index);
  assert.deepEqual([await decisionOf(acme, digest), await decisionOf(beta, digest)], ["allow", "allow"]);
  const chains = await Promise.all(
    [acme, beta].map((tenant) =>
      succeeds(node.app, 200, "GET /custody/:digest", { as: as(tenant), params: { digest } }),
    ),
  );
  const indexes = chains.map(({ events }) => events.map(({ index }: { index: number }) => index));
  assert.equal(new Set(indexes.flat()).size, indexes.flat().length, "no event is in both");

  const reason = "leaked";
  const target = { attestation: first.json().attestation.id };
  await succeeds(node.app, 201, "POST /revocations", { as: as(acme), json: { target, reason } });
  assert.deepEqual([await decisionOf(acme, digest), await decisionOf(beta, digest)], ["deny", "allow"]);
  const other = await provenance(house);
  for (const tenant of [acme, beta]) await push(tenant, other.bundle);
  const artifact = { target: { artifact: other.digest }, reason };
  await succeeds(node.app, 201, "POST /quarantines", { as: as(beta), json: artifact });
  assert.deepEqual(
    [await decisionOf(acme, other.digest), await decisionOf(beta, other.digest)],
    ["allow", "deny"],
  );
});

test("agents of one name, and workloads of one policy, have IDs under their projects", async () => {
  const { digest, bundle } = await provenance(house);
  for (const tenant of [acme, beta]) {
    await push(tenant, bundle);
    const agent = await joinAgent(node, tenant, "node-1");
    assert.equal(agent.spiffeId, `spiffe://vouchsafe.local/project/${tenant.name}/vouchsafe/agent/node-1`);
    const body = Buffer.from(JSON.stringify(x509Request(digest)));
    const granted = await node.app.inject({
      method: "POST",
      url: "/svid/x509",
      headers: {
        authorization: proofOf(agent, "POST", "/svid/x509", body),
        "content-type": "application/json",
      },
      payload: body,
    });
    assert.equal(granted.statusCode, 201, granted.body);
    assert.equal(
      granted.json().svids[0].spiffeId,
      `spiffe://vouchsafe.local/project/${tenant.name}/widget/${digest.slice(7)}`,
    );
  }
  // What lives in any project is taken back by itself, and in no other.
  const json = { target: { artifact: digest }, reason: "found" };
  await succeeds(node.app, 201, "POST /quarantines", { as: as(beta), json });
  const live = async (tenant: Tenant) =>
    (
      await succeeds(node.app, 200, "GET /identities", {
        as: as(tenant),
        query: { digest, live: "true" },
      })
    ).identities.length;
  for (const deadline = performance.now() + 20_000; (await live(beta)) > 0; await sleep(20))
    assert.ok(performance.now() < deadline, "beta's identity lives on");
  assert.equal(await live(acme), 1);
});

test("a pod's agent joins the project that it names, by that project's rules", async () => {
  const cluster = await startCluster();
  const text = `
apiVersion: vouchsafe.dev/v1
kind: AgentEnrollment
metadata: { name: pods }
spec:
  kubernetes:
    cluster: production
    issuer: ${CLUSTER_ISSUER}
    audience: ${AUDIENCE}
    serviceAccounts: [vouchsafe/agent]
    keys: '${cluster.jwks}'
`;
  for (const tenant of [acme, beta]) await addPolicies(tenant, [{ name: "pods.yaml", text }]);
  const token = await cluster.project();
  const join = (project?: string) =>
    node.app.inject({
      method: "POST",
      url: "/agents/enroll",
      headers: project === undefined ? {} : { "vouchsafe-project": project },
      payload: { csr: newKey().csr, kubernetes: token },
    });
  const refusals = [await join(), await join("nobody")].map((answer) => {
    const { instance: _, ...refusal } = answer.json();
    return refusal;
  });
  assert.equal(refusals[0].code, "unauthenticated");
  assert.deepEqual(refusals[1], refusals[0], "whether there is such a project is not told");
  assert.equal((await join("No Name")).statusCode, 400);
  const joined = await join("acme");
  assert.match(joined.json().spiffeId, /^spiffe:\/\/vouchsafe.local\/project\/acme\/vouchsafe\/agent\/k8s\//);
  assert.equal((await join("acme")).statusCode, 401, "a token is used up where it was used");
  assert.equal((await join("beta")).statusCode, 201, "and nowhere else");
});

test("policies that reach outside of their project are not put in force", async () => {
  const text = `
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: theirs }
spec:
  selectors: ["unix:uid:1"]
  spiffeId: /project/acme/widget
  policies: [release]
  requesters: { issuers: [${ISSUER}] }
`;
  const { documents, policySet } = await succeeds(node.app, 200, "GET /policies", { as: as(beta) });
  const json = { documents: [...documents, { name: "theirs.yaml", text }], previous: policySet };
  const refused = await fails(node.app, "invalid-policy", "POST /policies", { as: as(beta), json });
  const [where] = diagnosticsOf(refused);
  assert.deepEqual([where?.file, where?.line], ["theirs.yaml", 7]);
  assert.match(where?.message ?? "", /project beta are all under `\/project\/beta\/`/);
});

test("what is in memory is answered while as many questions wait as may", async () => {
  const { bundle, digest } = await signRelease(house.sigstore);
  const another = await signRelease(house.sigstore);
  await push(acme, bundle);
  assert.equal(await decisionOf(acme, digest), "allow");
  const asked = {
    digests: new Array(256).fill(`sha256:${"6".repeat(64)}`),
    minSize: node.v.projection.size + 1,
  };
  // 16 batches take all places.
  const batches = Array.from({ length: 17 }, () =>
    call(node.app, "POST /verify-digest", { as: as(acme), json: asked }),
  );
  const first = await Promise.race(batches);
  assert.deepEqual([first.statusCode, first.json().code], [503, "unavailable"]);
  assert.equal(await decisionOf(acme, digest), "allow");
  // The log grows to what they wait for.
  await push(acme, another.bundle);
  const statuses = (await Promise.all(batches)).map(({ statusCode }) => statusCode);
  assert.deepEqual(statuses.sort(), [...new Array(16).fill(200), 503]);
});

test("retention in one deletes none of the other's bytes", async () => {
  const { bundle } = await provenance(house);
  const [mine] = [await push(acme, bundle), await push(beta, bundle)];
  await addPolicies(acme, [{ name: "retention.yaml", text: RETENTION }]);
  node.advance(60 * DAY);
  const { signal } = new AbortController();
  await reevaluateEnded(node.v, signal);
  await sweepByItself(node.v, signal);
  const read = async (tenant: Tenant) => {
    // Tokens of before have ended.
    const later = await tenant.token(["auditor"]);
    const params = { id: mine?.json().attestation.id };
    return (await call(node.app, "GET /attestations/:id", { as: later, params })).statusCode;
  };
  assert.deepEqual([await read(acme), await read(beta)], [410, 200]);
});

// Thousands of questions that wait take seconds of a processor.
test("questions that wait for a log size to come leave the other project places to ask", {
  skip: UNLESS_LONG,
}, async () => {
  // The clock may have gone on since.
  await makeTokens();
  const digests = Array.from({ length: 256 }, () => `sha256:${"5".repeat(64)}`);
  const waiting = Array.from({ length: 20 }, () =>
    node.app.inject({
      method: "POST",
      url: "/verify-digest",
      headers: { authorization: `Bearer ${as(acme)}` },
      payload: { digests, minSize: 1_000_000 },
    }),
  );
  while (!(await Promise.race([Promise.any(waiting), sleep(20)]))) await sleep(1);
  assert.equal(await decisionOf(beta, `sha256:${"5".repeat(64)}`), "deny");
  const codes = (await Promise.all(waiting)).map((answer) => answer.json().code);
  assert.deepEqual(new Set(codes), new Set(["stale", "unavailable"]));
});
