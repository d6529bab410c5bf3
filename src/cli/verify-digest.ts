import { Command } from "commander";
import { digestOfArgument } from "./artifact-argument.ts";
import { EXIT } from "./exit-codes.ts";
import { printReasons, short } from "./findings.ts";
import { action } from "./session.ts";

interface Options {
  readonly policy?: string;
}

export function verifyDigestCommand(): Command {
  return new Command("verify-digest")
    .description("ask whether an artifact may run: allow or deny, and why")
    .argument("<digest|file>", "algorithm:hex, or a file to take the sha256 of")
    .option("--policy <name>", "decide by this policy, where the token may choose")
    .action(
      action(async ({ client, terminal, json }, artifact: string, { policy }: Options) => {
        const digest = await digestOfArgument(artifact);
        const decision = await client().verifyDigest(digest, policy === undefined ? {} : { policy });
        const isAllowed = decision.decision === "allow";
        if (json) terminal.printJson(decision);
        else {
          terminal.print(`${decision.decision} ${decision.digest}`, isAllowed ? "good" : "bad");
          printReasons(terminal, decision.reasons);
          for (const { policy, outcome, slsaLevel, attestations } of decision.policies) {
            const restsOn =
              attestations.length === 0 ? "" : `, resting on ${attestations.map(short).join(", ")}`;
            terminal.print(`  policy ${policy} ${outcome}: SLSA build level ${slsaLevel}${restsOn}`);
          }
          const until = decision.validUntil === null ? "" : `, valid until ${decision.validUntil}`;
          terminal.print(`  as of log size ${decision.asOf}${until}`);
        }
        return isAllowed ? EXIT.ok : EXIT.refused;
      }),
    );
}
