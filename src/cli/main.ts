#!/usr/bin/env node
import { CommanderError } from "commander";
import { EXIT } from "./exit-codes.ts";
import { createProgram } from "./program.ts";
import { reportError } from "./report-error.ts";
import { openTerminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

// The reader of a pipe may leave early, as `head` does: that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(EXIT.ok);
});

/** Commander's codes for what it has shown already: help, or the version. */
const SHOWN: readonly string[] = ["commander.help", "commander.helpDisplayed", "commander.version"];

const program = createProgram();
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError && SHOWN.includes(error.code)) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    const mistake =
      error instanceof CommanderError
        ? new UsageError(error.message.replace(/^error: /, "").replaceAll("\n", " "))
        : error;
    process.exitCode = reportError(mistake, openTerminal(process, process.env), program.opts().json === true);
  }
}
