import { Command } from "commander";
import type { QuarantineTarget } from "../client/quarantines.ts";
import { quarantineText } from "../custody/quarantine-target.ts";
import { digestOfArgument } from "./artifact-argument.ts";
import { EXIT } from "./exit-codes.ts";
import { action } from "./session.ts";

interface Reason {
  readonly reason: string;
}

export function quarantineCommand(): Command {
  return new Command("quarantine")
    .description("deny an artifact whatever its evidence says")
    .addCommand(add())
    .addCommand(list())
    .addCommand(lift());
}

function add(): Command {
  return new Command("add")
    .description("deny an artifact from now on")
    .argument("<digest|file>", "algorithm:hex, or a file to take the sha256 of")
    .requiredOption("--reason <text>", "why; it stands in the log")
    .action(
      action(async ({ client, terminal, json }, artifact: string, { reason }: Reason) => {
        const opened = await client().openQuarantine(await digestOfArgument(artifact), reason);
        if (json) terminal.printJson(opened);
        else {
          const { id, target, receipt } = opened;
          terminal.print(
            `quarantined ${quarantinedText(target)}: id ${id}, log index ${receipt.index}`,
            "good",
          );
        }
        return EXIT.ok;
      }),
    );
}

function list(): Command {
  return new Command("list").description("show what is quarantined").action(
    action(async ({ client, terminal, json }) => {
      const quarantines = await client().listQuarantines();
      if (json) terminal.printJson({ quarantines });
      else
        for (const { id, target, reason } of quarantines)
          terminal.print(`${id} ${quarantinedText(target)}: ${reason}`);
      return EXIT.ok;
    }),
  );
}

function lift(): Command {
  return new Command("lift")
    .description("end a quarantine: the artifact's evidence decides again")
    .argument("<id>", "as shown by quarantine list")
    .requiredOption("--reason <text>", "why; it stands in the log")
    .action(
      action(async ({ client, terminal, json }, id: string, { reason }: Reason) => {
        const lifted = await client().liftQuarantine(id, reason);
        if (json) terminal.printJson(lifted);
        else terminal.print(`lifted ${lifted.id}: log index ${lifted.receipt.index}`, "good");
        return EXIT.ok;
      }),
    );
}

/** What is quarantined, in words: an artifact by its digest alone, which says what it is. */
function quarantinedText(target: QuarantineTarget): string {
  return "artifact" in target
    ? target.artifact
    : quarantineText(target as Parameters<typeof quarantineText>[0]);
}
