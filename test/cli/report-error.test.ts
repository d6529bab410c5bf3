import assert from "node:assert/strict";
import { test } from "node:test";
import { openTerminal } from "../../src/cli/output/terminal.ts";
import { reportError } from "../../src/cli/report-error.ts";
import { ApiError } from "../../src/client/api-error.ts";
import { readConfig } from "../../src/config/config.ts";

function told(error: unknown): string {
  let text = "";
  const stream = {
    write(part: string | Uint8Array) {
      text += part;
      return true;
    },
  };
  reportError(error, openTerminal({ stdout: stream, stderr: stream }, {}), false);
  return text;
}

test("another token is advised where the role is missing, and nowhere that it would not help", () => {
  const refused = (problem: object) =>
    told(new ApiError("forbidden", "No", { status: 403, problem: { ...problem } }));
  assert.match(refused({ roles: ["operator"] }), /token create --role/);
  assert.equal(refused({}), "error: No\n  code: forbidden\n");
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
