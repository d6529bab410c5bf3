#!/usr/bin/env node
import "./node-version.ts";

import { type Command, CommanderError } from "commander";
import { suggestion } from "../yaml/suggestion.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { FIRST_STEPS } from "./first-steps.ts";
import { openTerminal } from "./output/terminal.ts";
import { createProgram } from "./program.ts";
import { reportError } from "./report-error.ts";
import { UsageError } from "./usage-error.ts";

const terminal = openTerminal(process, process.env);
const program = createProgram();

// What no command waits for, such as an output that cannot be written: Node's own status is the one of a denial.
process.on("uncaughtException", (error) => process.exit(report(error)));

/** Commander's codes for what it has shown already: help, or the version. */
const SHOWN: readonly string[] = ["commander.help", "commander.helpDisplayed", "commander.version"];

if (process.argv.length === 2) {
  // A script that forgot the command must not believe that something was done.
  process.stderr.write(`${FIRST_STEPS}\n`);
  process.exitCode = EXIT.usage;
} else {
  process.exitCode = await run();
}

async function run(): Promise<typeof process.exitCode> {
  try {
    await program.parseAsync(wordsOf(process.argv.slice(2)), { from: "user" });
    return process.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && SHOWN.includes(error.code)) {
      return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    }
    return report(error);
  }
}

function report(error: unknown): ExitCode {
  return reportError(mistakeIn(error), terminal, program.opts().json === true);
}

/** `help policy lint` too: commander's help knows commands at the top alone, and shows everything for what it does not know. */
function wordsOf(words: readonly string[]): readonly string[] {
  const [help, ...asked] = words;
  if (help !== "help" || asked.length === 0) return words;
  let known: readonly Command[] = program.commands;
  for (const word of asked) {
    const command = known.find((one) => one.name() === word);
    if (command === undefined) {
      const names = known.map((one) => one.name());
      throw new UsageError(`There is no command \`${asked.join(" ")}\`${suggestion(word, names)}`);
    }
    known = command.commands;
  }
  return asked.length > 1 ? [...asked, "--help"] : words;
}

/** Commander's mistakes are the caller's. */
function mistakeIn(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error;
  return new UsageError(error.message.replace(/^error: /, "").replaceAll("\n", " "));
}
