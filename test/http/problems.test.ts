import assert from "node:assert/strict";
import { test } from "node:test";
import { ERRORS, type ErrorCode, VouchsafeError } from "../../src/errors.ts";
import { problemOf } from "../../src/http/problems.ts";
import { AttestationFormatError } from "../../src/in-toto-attestation/errors.ts";

const SECRET = "postgres://owner:hunter2@db/vouchsafe";

test("every code renders with its status, title and type", () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const problem = problemOf(new VouchsafeError(code, "why"), "request-1");
    assert.equal(problem.status, ERRORS[code].status);
    assert.equal(problem.title, ERRORS[code].title);
    assert.equal(problem.type, `urn:vouchsafe:error:${code}`);
    assert.equal(problem.code, code);
    assert.equal(problem.instance, "request-1");
  }
});

test("format errors keep their code", () => {
  assert.equal(problemOf(new AttestationFormatError("json-too-deep", "deep"), "i").code, "json-too-deep");
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
    const problem = problemOf(error, "i");
    assert.ok(!JSON.stringify(problem).includes("hunter2"), JSON.stringify(problem));
    assert.ok(["internal", "invalid-request"].includes(problem.code));
  }
});

test("what is wrong with the service itself is for its log, not for callers", () => {
  assert.ok(
    !JSON.stringify(problemOf(new VouchsafeError("log-inconsistent", SECRET), "i")).includes("hunter2"),
  );
  assert.ok(
    JSON.stringify(problemOf(new VouchsafeError("stale", "behind by 3"), "i")).includes("behind by 3"),
  );
});

test("an extension never replaces a member of the problem", () => {
  const extensions = { status: 200, code: "fine", type: "about:blank", instance: "x", active: "sha256:00" };
  const problem = problemOf(new VouchsafeError("conflict", "changed", { extensions }), "i");
  assert.equal(problem.status, 409);
  assert.equal(problem.code, "conflict");
  assert.equal(problem.type, "urn:vouchsafe:error:conflict");
  assert.equal(problem.instance, "i");
  assert.equal(problem.active, "sha256:00");
});
