import assert from "node:assert/strict";
import { test } from "node:test";
import { fastify } from "fastify";
import { sendAnswerHeaders } from "../../src/http/answer-headers.ts";

test("every answer says what a browser may do with it: nothing; a route may only say how long it keeps", async () => {
  const app = fastify();
  sendAnswerHeaders(app);
  app.get("/kept", (_request, reply) => reply.header("cache-control", "max-age=60").send("kept"));
  app.get("/fails", () => {
    throw new Error("fails");
  });
  for (const [url, cacheControl] of [
    ["/kept", "max-age=60"],
    ["/fails", "no-store"],
    ["/unknown", "no-store"],
  ] as const) {
    const { headers } = await app.inject(url);
    assert.equal(headers["cache-control"], cacheControl);
    assert.match(String(headers["content-security-policy"]), /default-src 'none'.*frame-ancestors 'none'/);
    assert.equal(headers["x-content-type-options"], "nosniff");
  }
});
