import assert from "node:assert/strict";
import { test } from "node:test";
import { recordedTerminal } from "../../support/recorded-terminal.ts";

test("colours the first word on a terminal, and only there", () => {
  const onTerminal = recordedTerminal({}, true);
  onTerminal.terminal.print("allow sha256:ab", "good");
  assert.equal(onTerminal.written.stdout, "\u001b[32mallow\u001b[0m sha256:ab\n");

  for (const plain of [
    recordedTerminal({}, false),
    recordedTerminal({ NO_COLOR: "1" }, true),
    recordedTerminal({ TERM: "dumb" }, true),
  ]) {
    plain.terminal.print("allow sha256:ab", "good");
    assert.equal(plain.written.stdout, "allow sha256:ab\n");
  }
});

test("colours are forced and forbidden by the variables that others have for it", () => {
  const cases: readonly (readonly [NodeJS.ProcessEnv, boolean, boolean])[] = [
    [{ FORCE_COLOR: "1" }, false, true],
    [{ CLICOLOR_FORCE: "1" }, false, true],
    [{ FORCE_COLOR: "1", NO_COLOR: "1" }, true, false],
    [{ FORCE_COLOR: "0" }, true, false],
    [{ FORCE_COLOR: "" }, true, true],
    [{ CLICOLOR: "0" }, true, false],
    [{ CLICOLOR_FORCE: "0" }, false, false],
    [{ CLICOLOR: "1" }, false, false],
  ];
  for (const [env, isTTY, coloured] of cases) {
    const { terminal, written } = recordedTerminal(env, isTTY);
    terminal.print("allow", "good");
    assert.equal(written.stdout.includes("\u001b"), coloured, JSON.stringify(env));
    terminal.printJson({ allowed: true });
    assert.ok(written.stdout.endsWith('{"allowed":true}\n'), "JSON is never coloured");
  }
});

test("an empty NO_COLOR is none", () => {
  const { terminal, written } = recordedTerminal({ NO_COLOR: "" }, true);
  terminal.note("refused", "bad");
  assert.ok(written.stderr.includes("\u001b[31m"));
});

test("text from evidence cannot steer the terminal", () => {
  const { terminal, written } = recordedTerminal({}, true);
  terminal.print("name \u001b[2J\u001b]0;owned\u0007\r\nallow\u202e\u009b1m");
  assert.equal(written.stdout, "name \\u001b[2J\\u001b]0;owned\\u0007\\u000d\\u000aallow\\u202e\\u009b1m\n");
});

test("a progress line is shown on a terminal only, and gives way to what is printed", () => {
  const { terminal, written } = recordedTerminal({}, true);
  terminal.progress("1 of 2");
  terminal.note("refused");
  assert.equal(written.stderr, "\r\u001b[K1 of 2\r\u001b[Krefused\n");

  const piped = recordedTerminal({}, false);
  piped.terminal.progress("1 of 2");
  assert.equal(piped.written.stderr, "");
});
