import { Command } from "commander";
import { EXIT } from "./exit-codes.ts";
import { action } from "./session.ts";

export function logCommand(): Command {
  return new Command("log").description("look at the custody log").addCommand(key()).addCommand(checkpoint());
}

function key(): Command {
  return new Command("key")
    .description("print the log's verifier key; keep it where the server cannot change it")
    .action(
      action(async ({ client, terminal, json }) => {
        const verifierKey = await client().logKey();
        if (json) terminal.printJson({ verifierKey });
        else terminal.print(verifierKey);
        return EXIT.ok;
      }),
    );
}

function checkpoint(): Command {
  return new Command("checkpoint").description("print the log's newest signed checkpoint").action(
    action(async ({ client, terminal, json }) => {
      const note = await client().checkpoint();
      if (json) terminal.printJson({ checkpoint: note });
      else await terminal.write(new TextEncoder().encode(note));
      return EXIT.ok;
    }),
  );
}
