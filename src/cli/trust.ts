import { Command, Option } from "commander";
import type { TrustActivated } from "../client/trust-types.ts";
import { readJson } from "./arguments/files.ts";
import { EXIT } from "./exit-codes.ts";
import type { Terminal } from "./output/terminal.ts";
import { action } from "./session.ts";
import type { ImportOptions } from "./trust-parts.ts";
import { printSource, printTrust } from "./trust-summary.ts";

export function trustCommand(): Command {
  return new Command("trust")
    .description("show and change the roots and keys that evidence is verified under")
    .addCommand(show())
    .addCommand(activate())
    .addCommand(importParts())
    .addCommand(refresh());
}

function show(): Command {
  return new Command("show")
    .description("show the active trust snapshot; its document with --document")
    .option("--document", "print the trust document, to edit and activate")
    .action(
      action(async ({ client, terminal, json }, { document = false }: { document?: boolean }) => {
        const active = await client().readTrust();
        if (json) terminal.printJson(active);
        else if (document) terminal.printJson(active.document);
        else printTrust(active, terminal, Date.now());
        return EXIT.ok;
      }),
    );
}

function activate(): Command {
  return new Command("activate")
    .description("make a trust document the active one")
    .argument("<file>", "JSON: a trust document, as `trust show --document` prints it")
    .action(
      action(async ({ client, terminal, json }, file: string) => {
        const document = await readJson(file);
        const before = await client().readTrust();
        const activated = await client().activateTrust(document, before.trust);
        if (json) terminal.printJson(activated);
        else printActivated(activated, terminal);
        return EXIT.ok;
      }),
    );
}

function importParts(): Command {
  return new Command("import")
    .description("add roots and keys to the active trust; what has the same name is replaced")
    .argument(
      "[files...]",
      "trusted_root.json, several of them in .jsonl, PEM keys or certificates, npm's keys.json",
    )
    .option("--name <name>", "what it is called; default: the file's name, or the repository's host")
    .addOption(
      new Option("--use <use...>", "what certificates may sign").choices(["attestations", "timestamps"]),
    )
    .option("--predicate-type <type...>", "the only predicate types that a key counts for")
    .option("--tuf <url>", "a TUF repository that publishes a trusted root and will publish newer ones")
    .option("--root <file>", "the root.json to start from; not needed for Sigstore's public-good repository")
    .option("--target <path>", "the trusted root among the repository's targets (default: trusted_root.json)")
    .option("--print", "print the trust document that would be activated, and change nothing")
    .action(
      action(
        async (
          { client, terminal, json },
          files: readonly string[],
          { print = false, ...options }: ImportOptions & { print?: boolean },
        ) => {
          // Loaded here alone: with it come the verifier's certificates and a client of TUF.
          const { addParts, readParts } = await import("./trust-parts.ts");
          const parts = await readParts(files, options);
          const active = await client().readTrust();
          const document = addParts(active.document, parts);
          if (print) terminal.printJson(document);
          else {
            const activated = await client().activateTrust(document, active.trust);
            if (json) terminal.printJson(activated);
            else printActivated(activated, terminal);
          }
          return EXIT.ok;
        },
      ),
    );
}

function refresh(): Command {
  return new Command("refresh")
    .description("ask the TUF repositories for newer trusted roots, and activate what only adds")
    .option("--withdraw", "activate also what takes trust away")
    .action(
      action(async ({ client, terminal, json }, { withdraw = false }: { withdraw?: boolean }) => {
        const { active, sources, proposal } = await client().refreshTrust();
        const accepted = proposal !== null && (proposal.extendsActive || withdraw);
        const activated = accepted ? await client().activateTrust(proposal.document, active) : null;
        const isHeldBack = proposal !== null && !accepted;
        const isUnknown = sources.some(({ from }) => from === null);
        const exit = isHeldBack || isUnknown ? EXIT.refused : EXIT.ok;
        if (json) {
          terminal.printJson({ active, sources, proposal, activated });
          return exit;
        }
        for (const source of sources) {
          terminal.print(`sigstore ${source.name}: ${source.repository}`);
          printSource(source, terminal, Date.now());
        }
        if (activated !== null) printActivated(activated, terminal);
        else if (!isHeldBack) {
          const newer = isUnknown ? "what is newer could not be learnt" : "nothing newer is published";
          terminal.print(`active ${active ?? "nothing"}: ${newer}`);
        } else {
          terminal.note(
            "What is published now takes trust away, and was not activated. Look at it with --json; --withdraw activates it.",
            "bad",
          );
        }
        return exit;
      }),
    );
}

function printActivated({ receipt, trust, extendsPrevious }: TrustActivated, terminal: Terminal): void {
  const how = receipt === null ? "was active already" : `recorded at log index ${receipt.index}`;
  terminal.print(`active ${trust}: ${how}`, "good");
  if (!extendsPrevious) terminal.print("  it takes trust away: every verdict is made anew before it counts");
}
