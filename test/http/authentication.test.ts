import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import fastifyRateLimit from "@fastify/rate-limit";
import { type FastifyInstance, type FastifyPluginAsync, fastify } from "fastify";
import type { ProjectId } from "../../src/custody/events.ts";
import { VouchsafeError } from "../../src/errors.ts";
import { guardRoutes } from "../../src/http/authentication.ts";
import { sendProblem } from "../../src/http/problems.ts";
import type { Caller, Role } from "../../src/services/caller.ts";

let app: FastifyInstance;
let known: Map<string, Caller>;

beforeEach(async () => {
  known = new Map();
  app = fastify();
  app.setErrorHandler(sendProblem);
  await app.register(fastifyRateLimit, { global: false });
  const recall = (bearer: string) => known.get(bearer);
  guardRoutes(app, {
    authenticate,
    recall,
    authenticateAgent,
    refuseSuspended: () => {},
    installationProject: INSTALLATIONS,
    rateLimits: { perCaller: 3, perAddress: 3 },
  });
});
afterEach(() => app.close());

const INSTALLATIONS = "p" as ProjectId;

/** The bearer token is the caller's roles, joined by a dot. */
async function authenticate(bearer: string): Promise<Caller> {
  if (bearer.startsWith("wrong")) throw new VouchsafeError("unauthenticated", "wrong");
  const roles = bearer.split(".") as Role[];
  return {
    token: bearer,
    name: bearer,
    project: "p" as ProjectId,
    roles,
    policies: [],
    mayChoosePolicy: false,
  };
}

/** No agent has joined. */
async function authenticateAgent(): Promise<never> {
  throw new VouchsafeError("agent-proof-invalid", "unknown");
}

describe("a route that does not declare who may call it", () => {
  test("does not register", () => {
    assert.throws(() => app.get("/open", async () => "open"), TypeError);
    assert.throws(() => app.post("/open", { config: {} }, async () => "open"), TypeError);
  });

  test("does not register in a scope of its own either", async () => {
    const scope: FastifyPluginAsync = async (scoped) => {
      scoped.get("/open", async () => "open");
    };
    await assert.rejects(async () => app.register(scope), TypeError);
  });
});

describe("a route for auditors and operators", () => {
  beforeEach(async () => {
    app.get(
      "/secret",
      { config: { access: ["auditor", "operator"] } },
      async (request) => request.caller?.token,
    );
    app.get("/alive", { config: { access: "public", isProbe: true } }, async () => "alive");
    app.get("/public", { config: { access: "public" } }, async (request) => String(request.caller));
    await app.ready();
  });

  const cases: [authorization: string | undefined, status: number][] = [
    ["Bearer auditor", 200],
    ["bearer auditor", 200],
    ["BEARER   operator", 200],
    ["Bearer uploader.operator", 200],
    ["Bearer uploader", 403],
    ["Bearer uploader.issuer.approver.agent", 403],
    ["Bearer wrong", 401],
    [undefined, 401],
    ["", 401],
    ["Bearer", 401],
    ["Bearer ", 401],
    ["Bearer auditor auditor", 401],
    ["Bearer auditor, Bearer operator", 401],
    ["Basic YXVkaXRvcjphdWRpdG9y", 401],
    ["auditor", 401],
    ["BearerBearer auditor", 401],
    [`Bearer ${"a".repeat(8193)}`, 401],
  ];
  for (const [authorization, status] of cases) {
    test(`${authorization?.slice(0, 60) ?? "no header"} → ${status}`, async () => {
      const headers = authorization === undefined ? {} : { authorization };
      assert.equal((await app.inject({ url: "/secret", headers })).statusCode, status);
    });
  }

  test("a caller that is known is held to the same roles and the same count, and public routes have none", async () => {
    const call = (bearer: string, url = "/secret") =>
      app.inject({ url, headers: { authorization: `Bearer ${bearer}` } });
    for (const roles of ["auditor", "uploader"]) known.set(`known-${roles}`, await authenticate(roles));
    assert.equal((await call("known-uploader")).statusCode, 403);
    assert.equal((await call("known-auditor", "/public")).body, "null");
    assert.equal((await call("known-auditor", "/unknown")).statusCode, 404);
    const statuses = [];
    for (const _ of [1, 2, 3, 4]) statuses.push((await call("known-auditor")).statusCode);
    assert.deepEqual(statuses, [200, 200, 200, 429]);
    assert.equal((await call("known-auditor")).json().code, "rate-limited");
  });

  test("a token in the query string is not a credential", async () => {
    assert.equal((await app.inject("/secret?access_token=auditor")).statusCode, 401);
  });

  test("a refusal to authenticate challenges, and says whether a credential was wrong (RFC 6750)", async () => {
    const none = await app.inject("/secret");
    assert.equal(none.headers["www-authenticate"], 'Bearer realm="vouchsafe"');
    const wrong = await app.inject({ url: "/secret", headers: { authorization: "Bearer wrong" } });
    assert.equal(wrong.headers["www-authenticate"], 'Bearer realm="vouchsafe", error="invalid_token"');
  });

  test("a public route has no caller, whoever calls", async () => {
    const answer = await app.inject({ url: "/public", headers: { authorization: "Bearer wrong" } });
    assert.equal(answer.statusCode, 200);
    assert.equal(answer.body, "null");
  });

  test("calls of one token are counted together, and apart from others'", async () => {
    const call = (bearer: string) =>
      app.inject({ url: "/secret", headers: { authorization: `Bearer ${bearer}` } });
    for (const _ of [1, 2, 3]) assert.equal((await call("auditor")).statusCode, 200);
    const refused = await call("auditor");
    assert.equal(refused.statusCode, 429);
    assert.equal(refused.json().code, "rate-limited");
    assert.ok(Number(refused.headers["retry-after"]) > 0);
    assert.equal((await call("operator")).statusCode, 200);
  });

  test("a probe is answered however much comes from its address, and is not counted", async () => {
    const statusOf = async (url: string) => (await app.inject({ url })).statusCode;
    for (let i = 0; i < 4; i += 1) assert.equal(await statusOf("/alive"), 200);
    const statuses = [];
    for (let i = 0; i < 4; i += 1) statuses.push(await statusOf("/public"));
    assert.deepEqual(statuses, [200, 200, 200, 429]);
    assert.equal(await statusOf("/alive"), 200);
  });

  test("an IPv6 address is counted with its /64, of which a stranger has them all", async () => {
    const from = async (remoteAddress: string) =>
      (await app.inject({ url: "/public", remoteAddress })).statusCode;
    const statuses = [];
    for (const host of [1, 2, 3, 4]) statuses.push(await from(`2001:db8::${host}`));
    assert.deepEqual(statuses, [200, 200, 200, 429]);
    assert.equal(await from("2001:db8:0:1::1"), 200);
  });

  test("wrong tokens are counted by address, and shut out no right one", async () => {
    const call = (bearer: string) =>
      app.inject({ url: "/secret", headers: { authorization: `Bearer ${bearer}` } });
    const statuses = [];
    for (const n of [1, 2, 3, 4, 5]) statuses.push((await call(`wrong${n}`)).statusCode);
    assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
    assert.equal((await call("auditor")).statusCode, 200);
  });
});
