import assert from "node:assert/strict";
import { test } from "node:test";
import { showPlace } from "../../../src/cli/output/diagnostics.ts";
import { openTerminal } from "../../../src/cli/output/terminal.ts";

function shown(text: string, column: number): readonly string[] {
  let said = "";
  const stream = {
    write(part: string | Uint8Array) {
      said += part;
      return true;
    },
  };
  const place = { file: "a.yaml", line: 2, column, message: "" };
  showPlace(openTerminal({ stdout: stream, stderr: stream }, {}), place, [{ name: "a.yaml", text }]);
  return said.split("\n");
}

test("the caret stands below its column, also where a line is shown in part", () => {
  assert.deepEqual(shown("spec:\n\tname: x", 2), ["   name: x", "   ^", ""]);
  const [line = "", caret = ""] = shown(`spec:\n${".".repeat(9000)}!${".".repeat(6000)}`, 9001);
  assert.ok(line.length < 200, `${line.length} characters`);
  assert.equal(line[caret.indexOf("^")], "!");
});
