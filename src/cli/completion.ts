import { Argument, Command } from "commander";
import { EXIT } from "./exit-codes.ts";
import { action } from "./session.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** @param program what it completes: the whole of it, when it is asked */
export function completionCommand(program: Command): Command {
  return new Command("completion")
    .description("print a script that completes commands, options and their values in a shell")
    .addArgument(new Argument("<shell>", "whose script").choices(SHELLS))
    .action(
      action(async ({ terminal }, shell: (typeof SHELLS)[number]) => {
        const { offersOf } = await import("./completion/model.ts");
        const offers = offersOf(program);
        const script = await {
          bash: async () => (await import("./completion/bash.ts")).bashCompletion(offers),
          zsh: async () => (await import("./completion/zsh.ts")).zshCompletion(offers),
          fish: async () => (await import("./completion/fish.ts")).fishCompletion(offers),
        }[shell]();
        await terminal.write(new TextEncoder().encode(script));
        return EXIT.ok;
      }),
    );
}
