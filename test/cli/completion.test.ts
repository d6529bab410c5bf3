/** The completion scripts, each in the shell that it is for. zsh and fish where VOUCHSAFE_INTEROP=1 asks for them. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { bashCompletion } from "../../src/cli/completion/bash.ts";
import { fishCompletion } from "../../src/cli/completion/fish.ts";
import { offersOf } from "../../src/cli/completion/model.ts";
import { zshCompletion } from "../../src/cli/completion/zsh.ts";
import { createProgram } from "../../src/cli/program.ts";
import { skipInterop } from "../support/interop.ts";

const run = promisify(execFile);
const offers = offersOf(createProgram());

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-completion-"));
  await writeFile(join(directory, "vouchsafe.bash"), bashCompletion(offers));
  await writeFile(join(directory, "_vouchsafe"), zshCompletion(offers));
  await writeFile(join(directory, "vouchsafe.fish"), fishCompletion(offers));
  await writeFile(join(directory, "bundle one.json"), "{}");
});
after(() => rm(directory, { recursive: true, force: true }));

/** What is typed, the last word still open, and what is offered for it. */
const TYPED: readonly (readonly [readonly string[], readonly string[]])[] = [
  [["poli"], ["policy"]],
  [["policy", "l"], ["lint"]],
  [["--server", "policy", "poli"], ["policy"]],
  [["--json", "policy", "l"], ["lint"]],
  [["token", "create", "--role", "u"], ["uploader"]],
  [["token", "create", "--name", "revoke", "--may"], ["--may-choose-policy"]],
  [
    ["verify", "--format", ""],
    ["json", "text"],
  ],
  [["verify", "--certificate-identity-r"], ["--certificate-identity-regexp"]],
  [
    ["completion", ""],
    ["bash", "fish", "zsh"],
  ],
  [["custody", "export", "--ser"], ["--server"]],
  [["help", "zz"], []],
];

describe("completion", () => {
  test("knows every command and option that the program has", () => {
    const script = bashCompletion(offers);
    for (const { path, options } of offers) {
      assert.ok(script.includes(`'${path}')`), path);
      for (const { flags } of options) for (const flag of flags) assert.ok(script.includes(flag), flag);
    }
    assert.ok(!script.includes("exit-codes"), "a page is no command");
  });

  test("in bash", async () => {
    const calls = [...TYPED, [["push", "bund"], ["bundle one.json"]] as const].map(
      ([words]) => `try vouchsafe ${words.map((word) => `'${word}'`).join(" ")}`,
    );
    const script = `set -u
source ./vouchsafe.bash
complete -p vouchsafe >/dev/null
try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vouchsafe; printf '%s|' "\${COMPREPLY[@]+\${COMPREPLY[@]}}"; echo; }
${calls.join("\n")}
`;
    const { stdout, stderr } = await run("bash", ["-c", script], { cwd: directory });
    assert.equal(stderr, "");
    const offered = stdout
      .trimEnd()
      .split("\n")
      .map((line) =>
        line
          .split("|")
          .filter((word) => word !== "")
          .sort(),
      );
    assert.deepEqual(offered, [...TYPED.map(([, words]) => [...words]), ["bundle one.json"]]);
  });

  test("in fish", { skip: skipInterop("fish") }, async () => {
    for (const [words, expected] of TYPED) {
      const line = ["vouchsafe", ...words].map((word) => (word === "" ? "" : word)).join(" ");
      const { stdout } = await run("fish", ["-c", `source vouchsafe.fish; complete -C '${line}'`], {
        cwd: directory,
      });
      const offered = stdout
        .split("\n")
        .map((text) => text.split("\t")[0] ?? "")
        .filter((word) => word !== "");
      assert.deepEqual(offered.sort(), [...expected], line);
    }
  });

  test("in zsh", { skip: skipInterop("zsh") }, async () => {
    // What it would offer is told by the functions that it offers by.
    for (const [words, expected] of TYPED) {
      const script = `compdef() { }; source ./_vouchsafe
compadd() { shift; print -l -- "$@" }; _describe() { print -l -- "\${(@P)2%%:*}" }; _files() { print FILES }
words=(vouchsafe ${words.map((word) => `'${word}'`).join(" ")}); CURRENT=$#words; _vouchsafe`;
      const { stdout, stderr } = await run("zsh", ["-f", "-c", script], { cwd: directory });
      assert.equal(stderr, "");
      const open = words.at(-1) ?? "";
      const offered = stdout
        .split("\n")
        .filter((word) => word !== "" && word !== "FILES" && word.startsWith(open));
      assert.deepEqual(offered.sort(), [...expected], words.join(" "));
    }
  });
});
