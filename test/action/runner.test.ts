import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { code, link, literal } from "../../src/action/markdown.ts";
import { openRunner } from "../../src/action/runner.ts";
import fc from "../support/fc.ts";
import { commandsIn, readOutputs } from "./step.ts";

const directory = mkdtempSync(join(tmpdir(), "vouchsafe-runner-"));
after(() => rmSync(directory, { recursive: true }));

/** Text that its writer hopes to be more than text. */
const HOPEFUL = fc
  .array(
    fc.constantFrom(
      "::",
      "##[",
      "\n",
      "\r",
      "%0A",
      "error",
      "]",
      ":",
      ",",
      "\u2028",
      "x",
      " ",
      "<<",
      "EOF",
      "=",
      "|",
      "<b>",
      "`",
      "&",
      "](",
      "\\",
    ),
  )
  .map((parts) => parts.join(""));

function opened(): {
  readonly log: () => string;
  readonly runner: ReturnType<typeof openRunner>;
  readonly file: string;
} {
  const file = join(directory, "output");
  writeFileSync(file, "");
  let text = "";
  const runner = openRunner({ GITHUB_OUTPUT: file }, (more) => {
    text += more;
  });
  return { log: () => text, runner, file };
}

test("no line of the log is a command, and an annotation is one", () => {
  fc.assert(
    fc.property(HOPEFUL, (text) => {
      const { log, runner } = opened();
      runner.log(text);
      assert.deepEqual(commandsIn(log()), []);
      runner.annotate("error", text, text);
      assert.equal(log().split("\n").length, 3);
      const [, title = "", ...rest] = /^::error title=([^:,]*)::/.exec(commandsIn(log())[0] ?? "") ?? [];
      assert.deepEqual(rest, []);
      assert.ok(title !== "" || text === "");
    }),
  );
});

test("an output is read back as it was, and is one", () => {
  fc.assert(
    fc.property(HOPEFUL, (value) => {
      const { runner, file } = opened();
      runner.output("verdict", value);
      assert.deepEqual([...readOutputs(readFileSync(file, "utf8"))], [["verdict", value]]);
    }),
  );
});

test("text in the summary is letters, digits, spaces and character references", () => {
  fc.assert(fc.property(HOPEFUL, (text) => assert.match(literal(text), /^(?:[A-Za-z0-9 ]|&#\d+;)*$/)));
  assert.equal(code("a|b"), "<code>a&#124;b</code>");
  assert.equal(link("chain", new URL("javascript:alert(1)")), "chain");
  assert.doesNotMatch(link("chain", new URL('https://x/"onclick=1|')), /"o|\|/);
});
