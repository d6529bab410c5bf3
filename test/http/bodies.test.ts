import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientRequest, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import { type FastifyInstance, fastify } from "fastify";
import { takeBytes } from "../../src/http/bodies.ts";
import { sendProblem } from "../../src/http/problems.ts";
import type { Caller } from "../../src/services/caller.ts";

let app: FastifyInstance;
const uploads: ClientRequest[] = [];
beforeEach(async () => {
  app = fastify();
  app.setErrorHandler(sendProblem);
  // As the guard does.
  app.decorateRequest("caller", null);
  app.addHook("onRequest", async (request) => {
    request.caller = { project: request.headers.project ?? "one" } as unknown as Caller;
  });
  takeBytes(app, ["application/json"], { body: 100, underWay: 250 });
  app.post("/", async (request) => (request.body as Buffer).toString("latin1"));
  await app.listen({ host: "127.0.0.1", port: 0 });
});
afterEach(async () => {
  for (const started of uploads.splice(0)) started.destroy();
  await app.close();
});

test("bytes arrive as they were sent", async () => {
  const payload = Buffer.from(' {"a" :\t1}\r\n\xff', "latin1");
  const answer = await app.inject({
    method: "POST",
    url: "/",
    payload,
    headers: { "content-type": "application/json" },
  });
  assert.equal(answer.body, payload.toString("latin1"));
});

test("bodies under way are bounded together, and let go of when they are answered or given up", async () => {
  const first = upload(100);
  const second = upload(100);
  await waitUntil(async () => (await statusOf(upload(100))) === 503);
  assert.equal(await statusOf(upload(40)), 200);

  first.destroy();
  await waitUntil(async () => (await statusOf(upload(100))) === 200);
  assert.equal(await statusOf(second), 200);
  await waitUntil(async () => (await statusOf(upload(100))) === 200);
});

test("a body that does not say how long it is claims the most that it may be", async () => {
  upload(undefined);
  upload(undefined);
  await waitUntil(async () => (await statusOf(upload(undefined))) === 503);
  assert.equal(await statusOf(upload(40)), 200);
});

test("a project's bodies leave room for another's", async () => {
  upload(undefined);
  upload(undefined);
  await waitUntil(async () => (await statusOf(upload(undefined))) === 503);
  assert.equal(await statusOf(upload(100, "two")), 200);
});

/** Begins an upload of so many bytes, and sends none of them yet. */
function upload(length: number | undefined, project = "one"): ClientRequest {
  const { port } = app.server.address() as AddressInfo;
  const headers = {
    project,
    "content-type": "application/json",
    ...(length !== undefined && { "content-length": length }),
  };
  const started = request({ port, host: "127.0.0.1", method: "POST", headers, agent: false });
  started.on("error", () => {});
  started.flushHeaders();
  uploads.push(started);
  return started;
}

/** Sends the body of an upload and gives the status of the answer. */
async function statusOf(started: ClientRequest): Promise<number | undefined> {
  const answered = once(started, "response");
  started.end(Buffer.alloc(Number(started.getHeader("content-length") ?? 10), "x"));
  const [response] = await answered;
  response.resume();
  await once(response, "close");
  return response.statusCode;
}

async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    assert.ok(tries < 200, "it never came to hold");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
