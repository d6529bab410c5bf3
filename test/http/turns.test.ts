import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fastifyRateLimit from "@fastify/rate-limit";
import { type FastifyInstance, fastify } from "fastify";
import type { ProjectId } from "../../src/custody/events.ts";
import { guardRoutes } from "../../src/http/authentication.ts";
import { sendProblem } from "../../src/http/problems.ts";
import { type Bounds, boundTurns } from "../../src/http/turns.ts";
import type { Caller } from "../../src/services/caller.ts";

const BOUNDS: Bounds = {
  public: { perNode: 2 },
  read: { perNode: 100 },
  write: { perCaller: 2, perNode: 3 },
  export: { perNode: 1, longest: 50 },
  simulation: { perNode: 0 },
  watch: { perNode: 1 },
};

const CALLS = 50;

let app: FastifyInstance;
let under: PromiseWithResolvers<string>[];
/** What the token `slow` is known after. */
let lookedUp: PromiseWithResolvers<void>;

beforeEach(async () => {
  app = fastify();
  under = [];
  lookedUp = Promise.withResolvers();
  app.setErrorHandler(sendProblem);
  await app.register(fastifyRateLimit, { global: false });
  const callerOf = (bearer: string, project = "p"): Caller => ({
    token: bearer,
    name: bearer,
    project: project as ProjectId,
    roles: ["uploader"],
    policies: [],
    mayChoosePolicy: false,
  });
  guardRoutes(app, {
    authenticate: async (bearer, project) => {
      if (bearer === "slow") await lookedUp.promise;
      return callerOf(bearer, project);
    },
    recall: (bearer) => (bearer === "known" ? callerOf(bearer) : undefined),
    authenticateAgent: async () => callerOf("agent"),
    refuseSuspended: () => {},
    installationProject: "p" as ProjectId,
    rateLimits: { perCaller: CALLS, perAddress: 1000 },
  });
  boundTurns(app, BOUNDS);
  const wait = async () => {
    const one = Promise.withResolvers<string>();
    under.push(one);
    return one.promise;
  };
  app.post("/push", { config: { access: ["uploader", "agent"], costs: "write" } }, wait);
  app.get("/read", { config: { access: ["uploader"] } }, async () => "read");
  app.get("/open", { config: { access: "public" } }, wait);
  app.get("/free", { config: { access: "public", costs: "nothing" } }, async () => "free");
  app.get("/export", { config: { access: ["uploader"], costs: "export" } }, wait);
  await app.ready();
});
afterEach(() => app.close());

const call = (url: string, token?: string, method: "GET" | "POST" = "GET", project?: string) =>
  app.inject({
    method,
    url,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(project && { "vouchsafe-project": project }),
    },
  });
const push = (token: string) => call("/push", token, "POST");
/** Until so many calls are worked on. */
async function begun(count: number): Promise<void> {
  while (under.length < count) await new Promise(setImmediate);
}

describe("calls under way at once", () => {
  test("are bounded for each caller: the others go on", async () => {
    const first = [push("known"), push("known")];
    await begun(2);
    const refused = await push("known");
    assert.deepEqual([refused.statusCode, refused.json().code], [429, "rate-limited"]);
    assert.equal(refused.headers["retry-after"], "1");
    assert.equal((await call("/read", "known")).statusCode, 200);
    const other = push("other");
    await begun(3);
    for (const one of under) one.resolve("done");
    for (const one of [...first, other]) assert.equal((await one).statusCode, 200);
  });

  test("are bounded for all together, with 503", async () => {
    const calls = [push("a"), push("a"), push("b")];
    await begun(3);
    const refused = await push("c");
    assert.deepEqual([refused.statusCode, refused.json().code], [503, "unavailable"]);
    assert.equal(refused.headers["retry-after"], "1");
    for (const one of under) one.resolve("done");
    await Promise.all(calls);
  });

  test("make room when they end, be it by an error", async () => {
    for (let round = 0; round < 5; round += 1) {
      const calls = [push("a"), push("a")];
      await begun(2);
      under[0]?.resolve("done");
      under[1]?.reject(new Error("broken"));
      assert.deepEqual(
        (await Promise.all(calls)).map(({ statusCode }) => statusCode),
        [200, 500],
      );
      under = [];
    }
  });

  test("count while they are worked on, though the caller has gone", async () => {
    const gone = new AbortController();
    const other = call("/open");
    const first = app.inject({ url: "/open", signal: gone.signal }).catch(() => undefined);
    await begun(2);
    gone.abort();
    await first;
    await new Promise(setImmediate);
    assert.equal((await call("/open")).statusCode, 503);
    under[1]?.resolve("done");
    await new Promise(setImmediate);
    const second = call("/open");
    await begun(3);
    for (const one of under) one.resolve("done");
    for (const one of [other, second]) assert.equal((await one).statusCode, 200);
  });

  test("of anybody are shared by address: who takes all that one may have leaves room for the next", async () => {
    const from = (remoteAddress: string) => app.inject({ url: "/open", remoteAddress });
    const first = [from("2001:db8::1"), from("2001:db8::2")];
    await begun(2);
    assert.equal((await from("2001:db8::3")).statusCode, 503, "of the same /64");
    const next = from("192.0.2.1");
    await begun(3);
    for (const one of under) one.resolve("done");
    for (const one of [...first, next]) assert.equal((await one).statusCode, 200);
  });

  test("are not counted for ever where the caller left while its token was looked up", async () => {
    const { port } = new URL(await app.listen({ host: "127.0.0.1", port: 0 }));
    const socket = connect(Number(port), "127.0.0.1");
    const arrived = once(app.server, "request");
    socket.write("POST /push HTTP/1.1\r\nhost: x\r\nauthorization: Bearer slow\r\ncontent-length: 0\r\n\r\n");
    const [, response] = await arrived;
    socket.destroy();
    await once(response, "close");
    lookedUp.resolve();
    await begun(1);
    under[0]?.resolve("to nobody");
    await new Promise(setImmediate);
    const calls = [push("a"), push("a"), push("b")];
    await begun(4);
    // Given back once, and not twice: there is no fourth place.
    assert.equal((await push("c")).statusCode, 503);
    for (const one of under) one.resolve("done");
    for (const one of calls) assert.equal((await one).statusCode, 200);
  });

  test("of agents count too, whose proof is judged later", async () => {
    const agent = () =>
      app.inject({ method: "POST", url: "/push", headers: { authorization: "Vouchsafe-Agent x" } });
    const calls = [agent(), agent()];
    await begun(2);
    assert.equal((await agent()).statusCode, 429);
    for (const one of under) one.resolve("done");
    await Promise.all(calls);
  });

  test("are cut off when they take too long", async () => {
    // What cuts off keeps no process alive, as connections do that are not made here.
    await Promise.all([assert.rejects(call("/export", "a")), sleep(100)]);
    under[0]?.resolve("done");
  });

  test("are not counted where a route costs nothing, nor of who is refused", async () => {
    assert.equal((await call("/free")).statusCode, 200);
    for (let i = 0; i < 5; i += 1) assert.equal((await call("/push", undefined, "POST")).statusCode, 401);
    const calls = [push("a"), push("a"), push("b")];
    await begun(3);
    for (const one of under) one.resolve("done");
    for (const one of calls) assert.equal((await one).statusCode, 200);
  });
});

describe("callers of two projects that have one name, which who makes access rules chooses", () => {
  test("hold places of their own", async () => {
    const theirs = [call("/push", "same", "POST", "a"), call("/push", "same", "POST", "a")];
    await begun(2);
    const ours = call("/push", "same", "POST", "b");
    await begun(3);
    for (const one of under) one.resolve("done");
    for (const one of [...theirs, ours]) assert.equal((await one).statusCode, 200);
  });

  test("have calls of their own in a minute", async () => {
    for (let i = 0; i < CALLS; i += 1) await call("/read", "same", "GET", "a");
    assert.equal((await call("/read", "same", "GET", "a")).statusCode, 429);
    assert.equal((await call("/read", "same", "GET", "b")).statusCode, 200);
  });
});
