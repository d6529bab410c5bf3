import assert from "node:assert/strict";
import { test } from "node:test";
import { createLog, LOG_LEVELS, type LogLevel } from "../src/log.ts";

function recorded(level: LogLevel | "silent" = "trace", context?: () => object) {
  const lines: string[] = [];
  const log = createLog({ level, write: (line) => void lines.push(line), ...(context && { context }) });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? "null") };
}

test("each thing told is one line of JSON: time, level, message, then its fields", () => {
  const { log, lines, last } = recorded("info", () => ({ traceId: "ab" }));
  log.info({ reqId: "1", size: 5n }, "two\nlines");
  assert.match(lines[0] ?? "", /^\{"time":"[^"]+Z","level":"info","msg":"two\\nlines",.*\}\n$/);
  const { time: _, ...rest } = last();
  assert.deepEqual(rest, { level: "info", msg: "two\nlines", traceId: "ab", reqId: "1", size: "5" });
  log.child({ part: "x" }).warn("alone");
  assert.deepEqual([last().part, last().msg], ["x", "alone"]);
});

test("a level tells what is as grave, and no more", () => {
  for (const [i, level] of [...LOG_LEVELS.entries()]) {
    const { log, lines } = recorded(level);
    for (const one of LOG_LEVELS) log[one]("x");
    assert.equal(lines.length, i + 1, level);
  }
  const { log, lines } = recorded("silent");
  for (const one of LOG_LEVELS) log[one]("x");
  assert.equal(lines.length, 0);
});

test("of an error its name, code, message, stack and causes are told, and nothing that hangs on it", () => {
  const { log, last } = recorded();
  const cause = Object.assign(new Error("below"), { detail: "Key (hash)=(secret)" });
  log.error({ err: Object.assign(new TypeError("above", { cause }), { code: "X", request: "secret" }) }, "m");
  const { err } = last();
  assert.deepEqual(Object.keys(err), ["type", "code", "message", "stack", "cause"]);
  assert.deepEqual(
    [err.type, err.code, err.message, err.cause.message],
    ["TypeError", "X", "above", "below"],
  );
  assert.ok(!JSON.stringify(err).includes("secret"));
});

test("what is no plain value is left out, however deep, and a circle ends", () => {
  const { log, last } = recorded();
  class Request {
    authorization = "secret";
  }
  const circle: Record<string, unknown> = {
    request: new Request(),
    bytes: Buffer.from("secret"),
    kept: [1, { a: null }],
  };
  circle.circle = circle;
  log.info({ req: new Request(), map: new Map([["secret", 1]]), circle }, "m");
  const text = JSON.stringify(last());
  assert.ok(!/secret|115,101/.test(text), text);
  assert.deepEqual(last().circle.kept, [1, { a: null }]);
});
