import { Command } from "commander";
import { EXIT } from "./exit-codes.ts";
import { action } from "./session.ts";

export function spirePluginCommand(): Command {
  return new Command("spire-plugin")
    .description("be a SPIRE agent's WorkloadAttestor plugin; SPIRE starts it (docs/spire.md)")
    .action(
      action(async () => {
        // Loaded here alone: every other command would wait for what it brings along.
        const { runSpirePlugin } = await import("../workload/spire/run.ts");
        await runSpirePlugin();
        return EXIT.ok;
      }),
    );
}
