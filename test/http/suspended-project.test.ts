import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { verifyPack } from "../../src/custody/verify-pack.ts";
import { searchIdentities } from "../../src/db/identities.ts";
import { VouchsafeError } from "../../src/errors.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";
import { authenticateCaller } from "../../src/services/access/authenticate-caller.ts";
import { suspendProject } from "../../src/services/access/suspend-project.ts";
import { createSuspendedProjects } from "../../src/services/access/suspended-projects.ts";
import { activatePolicies, readPolicies } from "../../src/services/activation/activate-policies.ts";
import { joinAgent as certifyJoining } from "../../src/services/agents/join-agent.ts";
import type { Caller } from "../../src/services/caller.ts";
import { verifyDigest } from "../../src/services/decisions/verify-digest.ts";
import { issueX509Svids } from "../../src/services/identities/issue-svid.ts";
import { fsck } from "../../src/services/log/fsck.ts";
import { AUDIENCE, ISSUER as CLUSTER_ISSUER, startCluster } from "../identity/cluster.ts";
import { newKey } from "../services/identities/identity-house.ts";
import { openReleaseHouse, type ReleaseHouse } from "../services/release-node.ts";
import { packOf } from "../support/packs.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../support/postgres.ts";
import { call, fails, succeeds } from "./calls.ts";
import type { TestNode } from "./node.ts";
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

let postgres: TestPostgres;
let house: ReleaseHouse;
/** Two nodes of one log. */
let a: TestNode;
let b: TestNode;
let operator: string;
let acme: Tenant;
let acmes: string;
before(async () => {
  postgres = await createPostgres();
  house = await openReleaseHouse(postgres);
  [a, b] = [await house.open(), await house.open()];
  operator = await a.token(["operator"]);
  acme = await openTenant(house, a, "acme");
  acmes = await acme.token(["operator", "uploader", "auditor", "issuer"], {
    name: ISSUER,
    policies: ["release"],
  });
});
after(async () => {
  await house.close();
  await postgres.drop();
  await stopPostgres();
});

const change = (verb: "suspend" | "resume", name = "acme") =>
  call(a.app, `POST /projects/:name/${verb}`, {
    as: operator,
    params: { name },
    json: { reason: `to ${verb}` },
  });

/** As the services see one who was let in a moment before. */
const inside = (roles: Caller["roles"]): Caller => ({
  token: "0123456789abcdef",
  project: acme.id,
  name: ISSUER,
  roles,
  policies: ["release"],
  mayChoosePolicy: false,
});

async function push(tenant: Tenant, as: string): Promise<Digest> {
  const { digest, bundle } = await provenance(house);
  const pushed = await call(a.app, "POST /attestations", { as, bytes: bundle, type: BUNDLE });
  assert.equal(pushed.statusCode, 201, tenant.name);
  return digest;
}

async function until(what: string, is: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 20_000; !(await is()); await sleep(20))
    assert.ok(performance.now() < deadline, what);
}

test("a project that is suspended is refused, denied and has its identities taken back by every node, and goes on when it is resumed", async () => {
  const digest = await push(acme, acmes);
  const agent = await joinAgent(a, acme, "node-1");
  const body = Buffer.from(JSON.stringify(x509Request(digest)));
  const asAgent = async (node: TestNode) =>
    node.app.inject({
      method: "POST",
      url: "/svid/x509",
      headers: {
        authorization: proofOf(agent, "POST", "/svid/x509", body),
        "content-type": "application/json",
      },
      payload: body,
    });
  assert.equal((await asAgent(a)).statusCode, 201);
  // Remembered by both nodes, so that a look-up would come too late.
  for (const { app } of [a, b]) await succeeds(app, 200, "GET /policies", { as: acmes });

  const suspended = await change("suspend");
  assert.equal(suspended.statusCode, 200, suspended.body);
  const { index } = suspended.json().receipt;
  await fails(a.app, "project-suspended", "GET /policies", { as: acmes });
  await b.v.projection.caughtUp(index + 1, 10_000);
  await fails(b.app, "project-suspended", "GET /policies", { as: acmes });
  await fails(b.app, "project-suspended", "GET /verify-digest", { as: acmes, query: { digest } });
  const later = await acme.token(["auditor"]);
  await fails(b.app, "project-suspended", "GET /events", { as: later });
  for (const node of [a, b]) assert.equal((await asAgent(node)).json().code, "project-suspended");
  // Whoever was let in before it gets nothing either.
  for (const { v } of [a, b]) {
    const { decision, reasons } = await verifyDigest(v, inside(["issuer"]), { digest });
    assert.deepEqual([decision, reasons.map(({ code }) => code)], ["deny", ["project-suspended"]]);
    await assert.rejects(issueX509Svids(v, inside(["issuer"]), x509Request(digest)), {
      code: "identity-denied",
    });
  }
  const { projects } = await succeeds(a.app, 200, "GET /projects", { as: operator });
  assert.deepEqual(
    projects.map(({ name, suspension }: { name: string; suspension: object | null }) => [name, suspension]),
    [
      ["acme", { reason: "to suspend", index }],
      ["default", null],
    ],
  );
  await succeeds(b.app, 200, "GET /policies", { as: operator });
  assert.equal((await change("suspend")).json().code, "conflict");

  const live = () =>
    searchIdentities(b.v.database.kysely, acme.id, { digest, liveAt: b.v.clock(), limit: 1 });
  await until("acme's identity lives on", async () => (await live()).length === 0);

  const resumed = await change("resume");
  assert.equal(resumed.statusCode, 200, resumed.body);
  assert.equal((await change("resume")).json().code, "conflict");
  await b.v.projection.caughtUp(resumed.json().receipt.index + 1, 10_000);
  for (const { app } of [a, b]) {
    const decided = await succeeds(app, 200, "GET /verify-digest", { as: acmes, query: { digest } });
    assert.equal(decided.decision, "allow");
  }
  assert.equal((await asAgent(b)).statusCode, 201);

  const { revocations: _, identities } = await succeeds(a.app, 200, "GET /revocations", {
    as: acmes,
    query: { digest },
  });
  assert.deepEqual(
    identities.map(({ reasons, cause }: { reasons: string[]; cause: number }) => [reasons, cause]),
    [[["project-suspended"], index]],
  );
  const report = verifyPack(await packOf(a.v, inside(["auditor"]), digest), a.v.log.verifierKey);
  assert.ok(report.ok, JSON.stringify(report.checks.filter(({ status }) => status !== "holds")));
  const told = report.checks.flatMap(
    ({ statement }) => /the project was (\w+): to \w+/.exec(statement)?.[1] ?? [],
  );
  assert.deepEqual(told, ["suspended", "resumed"]);
  const { events } = await succeeds(a.app, 200, "GET /custody/:digest", { as: acmes, params: { digest } });
  const types = events.map(({ type }: { type: string }) => type);
  assert.ok(types.includes("project.suspended") && types.includes("project.resumed"), String(types));
  assert.deepEqual((await fsck(a.v.database)).findings, []);
});

test("a node that starts knows who is suspended", async () => {
  await change("suspend");
  const c = await house.open();
  await fails(c.app, "project-suspended", "GET /policies", { as: acmes });
  await change("resume");
});

test("nobody joins as an agent of a project that is suspended, and who may not is told nothing of it", async () => {
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
  const caller = inside(["operator"]);
  const { documents, policySet: previous } = await readPolicies(a.v, caller);
  await activatePolicies(a.v, caller, { documents: [...documents, { name: "pods.yaml", text }], previous });
  const token = await cluster.project();
  const join = async (kubernetes: string) => {
    const headers = { "vouchsafe-project": "acme" };
    const payload = { csr: newKey().csr, kubernetes };
    return (await a.app.inject({ method: "POST", url: "/agents/enroll", headers, payload })).json();
  };
  await change("suspend");
  assert.equal((await join(token)).code, "project-suspended");
  assert.equal((await join(`${token}x`)).code, "unauthenticated");
  // Nor does one that was let in before.
  const late = { ...inside(["agent"]), name: "late" };
  await assert.rejects(certifyJoining(b.v, late, { csr: newKey().csr }), { code: "project-suspended" });
  await change("resume");
  assert.match((await join(token)).spiffeId, /vouchsafe\/agent\/k8s/);
});

test("a node that does not follow the log refuses whom it looks up", async () => {
  await change("suspend");
  const deaf = createSuspendedProjects(b.v.database);
  deaf.refuse(acme.id);
  const v = { ...b.v, suspended: deaf };
  await assert.rejects(authenticateCaller(v, acmes, undefined), { code: "project-suspended" });
  await change("resume");
  assert.equal((await authenticateCaller(v, acmes, undefined)).caller.project, acme.id);
});

test("who was let in before and sends slowly is refused when all is there", async () => {
  await a.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = a.app.server.address() as AddressInfo;
  const body = JSON.stringify({ name: "later", roles: ["operator"] });
  const slow = connect(port, "127.0.0.1").setEncoding("utf8");
  await once(slow, "connect");
  slow.write(
    `POST /tokens HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${acmes}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n{`,
  );
  // Answered after the one before it was let in.
  await once(a.app.server, "request");
  await succeeds(a.app, 200, "GET /policies", { as: acmes });
  await change("suspend");
  const answered = text(slow);
  slow.write(body.slice(1));
  assert.match(await answered, /^HTTP\/1\.1 403[\s\S]*project-suspended/);
  await change("resume");
});

test("a node whose suspension could not be acknowledged refuses the project all the same", async () => {
  const { writer } = a.v;
  const append: typeof writer.append = async (proposal) => {
    await writer.append(proposal);
    throw new VouchsafeError("unavailable", "What was committed could not be acknowledged");
  };
  const suspended = suspendProject({ ...a.v, writer: { ...writer, append } }, inside(["operator"]), {
    name: "acme",
    reason: "to suspend",
  });
  await assert.rejects(suspended, { code: "unavailable" });
  await fails(a.app, "project-suspended", "GET /policies", { as: acmes });
  await change("resume");
});

test("default stays, and so does what nobody has", async () => {
  assert.equal((await change("suspend", "default")).json().code, "invalid-request");
  assert.equal((await change("resume", "default")).json().code, "conflict");
  assert.equal((await change("suspend", "nobody")).json().code, "not-found");
  const params = { name: "default" };
  const theirs = { as: acmes, params, json: { reason: "ours" } };
  await fails(a.app, "forbidden", "POST /projects/:name/suspend", theirs);
});
