import { Command } from "commander";
import { digestOfArgument } from "./artifact-argument.ts";
import { exportCommand } from "./custody-export.ts";
import { verifyCommand } from "./custody-verify.ts";
import { EXIT } from "./exit-codes.ts";
import { action } from "./session.ts";

export function custodyCommand(): Command {
  return new Command("custody")
    .description("show, export and verify an artifact's chain of custody")
    .addCommand(show())
    .addCommand(exportCommand())
    .addCommand(verifyCommand());
}

function show(): Command {
  return new Command("show")
    .description("show what the log holds about an artifact, in order")
    .argument("<digest|file>", "algorithm:hex, or a file to take the sha256 of")
    .action(
      action(async ({ client, terminal, json }, artifact: string) => {
        const chain = await client().readCustody(await digestOfArgument(artifact));
        if (json) terminal.printJson(chain);
        else {
          terminal.print(`${chain.artifact}: ${chain.events.length} events in ${chain.origin}`);
          for (const { index, time, type, body } of chain.events) {
            terminal.print(`  ${index} ${time} ${type} ${gist(body)}`.trimEnd());
          }
          terminal.print(`  as of log size ${chain.treeSize}`);
        }
        return EXIT.ok;
      }),
    );
}

/** The member that tells one event of a type from the next, for people; --json has everything. */
function gist(body: Readonly<Record<string, unknown>>): string {
  const telling = [
    "reason",
    "policy",
    "attestation",
    "grantedTo",
    "spiffeId",
    "requester",
    "policySet",
    "trust",
  ];
  const value = telling.map((name) => body[name]).find((member) => typeof member === "string");
  return typeof value === "string" ? value : "";
}
