import { Command } from "commander";
import { EXIT } from "./exit-codes.ts";
import { readJson } from "./files.ts";
import { action } from "./session.ts";

export function trustCommand(): Command {
  return new Command("trust")
    .description("show and activate the roots and keys that evidence is verified under")
    .addCommand(show())
    .addCommand(activate());
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
        else {
          terminal.print(`trust ${active.trust ?? "(none is active: no evidence verifies)"}`);
          terminal.print(`  ${JSON.stringify(active.summary)}`);
        }
        return EXIT.ok;
      }),
    );
}

function activate(): Command {
  return new Command("activate")
    .description("make a trust document the active one")
    .argument("<file>", "JSON: sigstore trusted roots and keys, as `trust show --document` prints it")
    .action(
      action(async ({ client, terminal, json }, file: string) => {
        const document = await readJson(file);
        const before = await client().readTrust();
        const activated = await client().activateTrust(document, before.trust);
        if (json) terminal.printJson(activated);
        else {
          const { receipt, trust } = activated;
          const how = receipt === null ? "was active already" : `recorded at log index ${receipt.index}`;
          terminal.print(`active ${trust}: ${how}`, "good");
        }
        return EXIT.ok;
      }),
    );
}
