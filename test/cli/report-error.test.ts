import assert from "node:assert/strict";
import { test } from "node:test";
import { EXIT } from "../../src/cli/exit-codes.ts";
import { reportError } from "../../src/cli/report-error.ts";
import { ApiError } from "../../src/client/api-error.ts";
import { readConfig } from "../../src/config/config.ts";
import { recordedTerminal } from "../support/recorded-terminal.ts";

function told(error: unknown): string {
  return report(error).text;
}

function report(error: unknown) {
  const { terminal, written } = recordedTerminal();
  const exit = reportError(error, terminal, false);
  return { text: written.stderr, exit };
}

test("another token is advised where the role is missing, and nowhere that it would not help", () => {
  const refused = (problem: object) =>
    told(new ApiError("forbidden", "No", { status: 403, problem: { ...problem } }));
  assert.match(refused({ roles: ["operator"] }), /token create --role/);
  assert.equal(refused({}), "error: No\n  code: forbidden\n");
});

test("what nobody foresaw is no answer to what was asked: status 3, and where it is", () => {
  const { terminal, written } = recordedTerminal();
  const status = reportError(new TypeError("nothing is not iterable"), terminal, false);
  assert.equal(status, 3);
  assert.match(
    written.stderr,
    /^error: nothing is not iterable\n {2}code: unforeseen\n {4}at [^\n]+report-error/,
  );
});

test("a server is started where this machine has none, and nowhere else", () => {
  const unreachable = (server: string, reason?: string) =>
    told(new ApiError("unreachable", "No", { problem: { server, reason } }));
  assert.match(unreachable("http://127.0.0.1:8080", "ECONNREFUSED"), /npm start/);
  for (const text of [
    unreachable("https://localhost:8443", "DEPTH_ZERO_SELF_SIGNED_CERT"),
    unreachable("https://vouchsafe.example", "ECONNREFUSED"),
  ])
    assert.doesNotMatch(text, /npm start/);
});

test("a request that the server cannot read is a mistake in the call, and what is no Vouchsafe server knows nothing", () => {
  const exits = [
    new ApiError("invalid-request", "No", { status: 400 }),
    new ApiError("not-found", "No", { status: 404 }),
    new ApiError("unexpected-answer", "A page", { status: 200 }),
    new ApiError("unexpected-answer", "A page", { status: 502 }),
  ].map((error) => report(error).exit);
  assert.deepEqual(exits, [EXIT.usage, EXIT.refused, EXIT.failed, EXIT.failed]);
});

test("each mistake of a configuration stands on its line", () => {
  assert.throws(
    () => readConfig({ PORT: "http", LOG_LEVEL: "loud" }),
    (error) => {
      assert.match(
        told(error),
        /^error: the configuration does not hold\n {2}PORT [^\n]+\n {2}LOG_LEVEL [^\n]+\n {2}code: configuration-invalid\n$/,
      );
      return true;
    },
  );
});
