import assert from "node:assert/strict";
import { test } from "node:test";
import { showPlace } from "../../../src/cli/output/diagnostics.ts";
import { recordedTerminal } from "../../support/recorded-terminal.ts";

function shown(text: string, column: number): readonly string[] {
  const { terminal, written } = recordedTerminal();
  showPlace(terminal, { file: "a.yaml", line: 2, column, message: "" }, [{ name: "a.yaml", text }]);
  return `${written.stdout}${written.stderr}`.split("\n");
}

test("the caret stands below its column, also where a line is shown in part", () => {
  assert.deepEqual(shown("spec:\n\tname: x", 2), ["   name: x", "   ^", ""]);
  const [line = "", caret = ""] = shown(`spec:\n${".".repeat(9000)}!${".".repeat(6000)}`, 9001);
  assert.ok(line.length < 200, `${line.length} characters`);
  assert.equal(line[caret.indexOf("^")], "!");
});
