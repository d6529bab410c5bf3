import assert from "node:assert/strict";
import { test } from "node:test";
import { fastify, LogController } from "fastify";
import { ERRORS, type ErrorCode, VouchsafeError } from "../../src/errors.ts";
import { problemOf, sendProblem } from "../../src/http/problems.ts";
import { AttestationFormatError } from "../../src/in-toto-attestation/errors.ts";

const SECRET = "postgres://owner:hunter2@db/vouchsafe";

test("every code renders with its status, title and type", () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const problem = problemOf(new VouchsafeError(code, "why"));
    assert.equal(problem.status, ERRORS[code].status);
    assert.equal(problem.title, ERRORS[code].title);
    assert.equal(problem.type, `urn:vouchsafe:error:${code}`);
    assert.equal(problem.code, code);
    assert.match(problem.instance, /^[0-9a-f-]{36}$/);
  }
});

test("format errors keep their code", () => {
  assert.equal(problemOf(new AttestationFormatError("json-too-deep", "deep")).code, "json-too-deep");
});

test("an error that we did not throw says nothing of itself", () => {
  const strangers = [
    new Error(SECRET),
    new TypeError(SECRET, { cause: new Error(SECRET) }),
    Object.assign(new Error(SECRET), { code: "ECONNREFUSED" }),
    Object.assign(new Error(SECRET), { statusCode: 500, code: "FST_ERR_SOMETHING" }),
    Object.assign(new Error(SECRET), { statusCode: 418, code: "FST_ERR_SOMETHING" }),
    SECRET,
    undefined,
    null,
    { code: "not-found", message: SECRET },
  ];
  for (const error of strangers) {
    const problem = problemOf(error);
    assert.ok(!JSON.stringify(problem).includes("hunter2"), JSON.stringify(problem));
    assert.ok(["internal", "invalid-request"].includes(problem.code));
  }
});

test("what is wrong with the service itself is for its log, not for callers", () => {
  assert.ok(!JSON.stringify(problemOf(new VouchsafeError("log-inconsistent", SECRET))).includes("hunter2"));
  assert.ok(JSON.stringify(problemOf(new VouchsafeError("stale", "behind by 3"))).includes("behind by 3"));
});

test("an extension never replaces a member of the problem", () => {
  const extensions = { status: 200, code: "fine", type: "about:blank", instance: "x", active: "sha256:00" };
  const problem = problemOf(new VouchsafeError("conflict", "changed", { extensions }));
  assert.equal(problem.status, 409);
  assert.equal(problem.code, "conflict");
  assert.equal(problem.type, "urn:vouchsafe:error:conflict");
  assert.notEqual(problem.instance, "x");
  assert.equal(problem.active, "sha256:00");
});

test("Fastify's own refusals have codes of the closed list", () => {
  const cases: [fastifyCode: string, statusCode: number, code: ErrorCode][] = [
    ["FST_ERR_CTP_INVALID_MEDIA_TYPE", 415, "unsupported-media-type"],
    ["FST_ERR_CTP_BODY_TOO_LARGE", 413, "body-too-large"],
    ["FST_ERR_CTP_INVALID_CONTENT_LENGTH", 400, "invalid-request"],
    ["FST_ERR_BAD_URL", 400, "invalid-request"],
    ["FST_UNDER_PRESSURE", 503, "unavailable"],
    ["FST_ERR_OF_TOMORROW", 400, "invalid-request"],
    ["FST_ERR_OF_TOMORROW", 500, "internal"],
  ];
  for (const [fastifyCode, statusCode, code] of cases) {
    const error = Object.assign(new Error("why"), { code: fastifyCode, statusCode });
    assert.equal(problemOf(error).code, code);
  }
});

test("the server's log has the cause under the answer's instance, and not the caller's token", async () => {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const app = fastify({
    logger: { level: "info", stream },
    logController: new LogController({ disableRequestLogging: true }),
  });
  app.setErrorHandler(sendProblem);
  app.get("/broken", async () => {
    throw new VouchsafeError("internal", "could not", { cause: new Error(SECRET) });
  });
  app.get("/refused", async () => {
    throw new VouchsafeError("not-found", "nothing");
  });
  const headers = { authorization: "Bearer t0ken" };
  await app.inject({ url: "/refused", headers });
  assert.deepEqual(lines, []);
  const answer = await app.inject({ url: "/broken", headers });
  assert.equal(answer.statusCode, 500);
  assert.ok(!answer.body.includes("hunter2"));
  const [line = ""] = lines;
  assert.equal(JSON.parse(line).instance, answer.json().instance);
  assert.ok(line.includes("hunter2"));
  assert.ok(!line.includes("t0ken"));
});
