import { Command } from "commander";
import { EXIT } from "./exit-codes.ts";
import { revokedText } from "./output/revocation-words.ts";
import { printTable } from "./output/table.ts";
import { action } from "./session.ts";

export function revocationCommand(): Command {
  return new Command("revocation")
    .description("what evidence is revoked (by vouchsafe revoke)")
    .addCommand(list())
    .addCommand(withdraw());
}

function list(): Command {
  return new Command("ls")
    .alias("list")
    .description("show the revocations that stand")
    .action(
      action(async ({ client, terminal, json }) => {
        const revocations = await client().listRevocations();
        if (json) terminal.printJson({ revocations });
        else {
          const rows = revocations.map(({ id, target, reason }) => [id, revokedText(target), reason]);
          printTable(terminal, ["ID", "REVOKED", "REASON"], rows, { empty: "Nothing is revoked." });
        }
        return EXIT.ok;
      }),
    );
}

function withdraw(): Command {
  return new Command("withdraw")
    .description("end a revocation: the evidence counts again")
    .argument("<id>", "as shown by revocation ls")
    .requiredOption("--reason <text>", "why; it stands in the log")
    .action(
      action(async ({ client, terminal, json }, id: string, { reason }: { reason: string }) => {
        const withdrawn = await client().withdrawRevocation(id, reason);
        if (json) terminal.printJson(withdrawn);
        else terminal.print(`withdrew ${withdrawn.id}: log index ${withdrawn.receipt.index}`, "good");
        return EXIT.ok;
      }),
    );
}
