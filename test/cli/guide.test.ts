/** What every command must have: it walks the program itself, so that a new one cannot be forgotten. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { type Command, CommanderError } from "commander";
import { commandsOf, guideOf } from "../../src/cli/guide/teach.ts";
import { createProgram } from "../../src/cli/program.ts";

const page = commandsOf(createProgram());
/** Those that do something by themselves. */
const commands = page.filter(
  ({ path, command }) => command.commands.length === 0 || guideOf(path) !== undefined,
);
const ROUTES = JSON.parse(readFileSync("testdata/routes.golden.json", "utf8"));
const SOURCES = globSync("src/cli/**/*.ts").map((file) => readFileSync(file, "utf8"));

describe("every command", () => {
  for (const { path, command } of page) {
    test(`${path} says in a line what it does, and its options do`, () => {
      assert.match(
        command.description(),
        /^[a-z0-9].*[^.]$/s,
        "a line that begins small and ends without a full stop",
      );
      for (const { flags, description } of command.options) assert.notEqual(description, "", flags);
      for (const argument of command.registeredArguments) {
        if (argument.argChoices === undefined && argument.name() !== "file") {
          assert.ok(
            argument.description !== "" || /file|dir|digest|id/.test(argument.name()),
            argument.name(),
          );
        }
      }
    });
  }

  for (const { path, command } of commands) {
    const guide = guideOf(path);
    test(`${path} has examples that it takes, who may run it, and what its status says (src/cli/guide/)`, async () => {
      assert.ok(guide !== undefined, "no guide");
      assert.ok(guide.examples.length > 0);
      for (const example of guide.examples) await assertTaken(example, path);
      assert.match(helpOf(command), /^Needs: .*\nStatus: 0 .*; 1 .*; 2 .*$/m);
    });

    test(`${path} is for the roles that its route is for`, () => {
      const { asks, roles, installation = false } = guide ?? {};
      if (asks === undefined || asks === "anybody") return assert.equal(roles, undefined);
      const golden = ROUTES[asks] ?? assert.fail(`there is no route ${asks}`);
      assert.deepEqual(roles, installation ? golden.installation : golden);
    });

    test(`${path} takes --json, or says why not`, () => {
      if (guide?.noJson !== undefined) return;
      const [name = ""] = path.split(" ").slice(-1);
      const quoted = new RegExp(`(?:Command|about|windowed)\\(\\s*"${name}"`);
      const makers = SOURCES.filter((source) => quoted.test(source));
      assert.ok(makers.length > 0, "where is it made?");
      assert.ok(
        makers.every((source) => /\bjson\b|import\("|session/.test(source)),
        "its file never asks for session.json",
      );
    });
  }

  test("stands under a heading in the help", () => {
    const help = createProgram().helpInformation();
    assert.doesNotMatch(help, /^Commands:/m);
    assert.equal(help.match(/^[A-Z].*:$/gm)?.length, 6, help);
  });
});

function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (written) => (text += written) });
  command.outputHelp();
  return text;
}

/** Reads the example as the program would, and does nothing. */
async function assertTaken(example: string, path: string): Promise<void> {
  const call = example.replaceAll("\\\n", " ").match(/\bvouchsafe (.*)$/)?.[1] ?? assert.fail(example);
  const words = [...call.replace(/\)$|\s[>|].*$/g, "").matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, text, word]) => text ?? word ?? "",
  );
  const program = createProgram();
  let run = "";
  for (const placed of commandsOf(program)) {
    if (placed.command.commands.length === 0 || guideOf(placed.path)) {
      placed.command.action(() => {
        run = placed.path;
      });
    }
  }
  try {
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    assert.ok(error instanceof CommanderError);
    assert.fail(`${example}: ${error.message}`);
  }
  assert.equal(run, path, example);
}
