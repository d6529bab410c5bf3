import { Command } from "commander";
import type { Authority } from "../client/authorities.ts";
import { EXIT } from "./exit-codes.ts";
import { printTable } from "./output/table.ts";
import { time } from "./output/time.ts";
import { action } from "./session.ts";

export function authorityCommand(): Command {
  return new Command("authority")
    .description("the authorities that sign identities")
    .addCommand(list())
    .addCommand(retire());
}

function list(): Command {
  return new Command("ls")
    .alias("list")
    .description("show which are believed, and which are no more")
    .action(
      action(async ({ client, terminal, json }) => {
        const authorities = await client().listAuthorities();
        if (json) terminal.printJson({ authorities });
        else printTable(terminal, ["AUTHORITY", "STATE", "UNTIL", "REMARKS"], authorities.map(cellsOf));
        return EXIT.ok;
      }),
    );
}

function cellsOf({ authority, state, signsHere, notAfter, retiredAt, reason }: Authority): readonly string[] {
  if (state === "retired") return [authority, state, time(retiredAt ?? ""), reason ?? ""];
  return [authority, state, time(notAfter ?? "unknown"), signsHere ? "signs here" : ""];
}

function retire(): Command {
  return new Command("retire")
    .description("take one back: what it signed fails with all who ask for the trust bundle from now on")
    .argument("<authority>", "as shown by authority ls")
    .requiredOption("--reason <text>", "why; it stands in the log")
    .action(
      action(
        async ({ client, terminal, json }, authority: string, { reason }: { readonly reason: string }) => {
          const retired = await client().retireAuthority(authority, reason);
          if (json) terminal.printJson(retired);
          else {
            terminal.print(`retired ${authority}: log index ${retired.receipt.index}`, "good");
            for (const other of retired.believedBy)
              terminal.note(
                `  what it signed is believed until ${other} is retired: they share a root or a key`,
              );
          }
          return EXIT.ok;
        },
      ),
    );
}
