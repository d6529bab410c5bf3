import { Command } from "commander";
import { collect } from "../arguments/collect.ts";
import { action } from "../session.ts";
import type { ExplainOptions } from "./explain-run.ts";

export function policyExplainCommand(): Command {
  return new Command("explain")
    .description(
      "say in words what a policy asks, and of evidence what passes and what fails, without a server",
    )
    .argument("<file|dir|policy>", "policy files, or the name of a policy in policies/")
    .option("--policy-name <name>", "which of the policies in the files")
    .option("--artifact <file|digest>", "the artifact that the evidence is about")
    .option("--evidence <file>", "evidence in any format that is taken; may be repeated", collect)
    .option(
      "--manifest <file>",
      "an image index or manifest that holds the artifact; may be repeated",
      collect,
    )
    .option("--trusted-root <file>", "trusted_root.json, or private roots in PEM", collect)
    .option("--trust <file>", "a whole trust document, as `trust show --document` prints it")
    .action(
      action(async (session, argument: string, options: ExplainOptions) => {
        // Loaded here alone: policies and the verifier are large, and every other command would wait for them.
        const { explain } = await import("./explain-run.ts");
        return explain(session, argument, options, Date.now());
      }),
    );
}
