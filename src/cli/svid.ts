import { Command } from "commander";
import { action } from "./session.ts";
import type { VerifyOptions } from "./svid-checks.ts";

const EPILOGUE = `
The bundle is a SPIFFE bundle document (GET /trust-bundle) or certificates in PEM, which you have from elsewhere. With
--custody, a file that custody export wrote of an artifact that the SVID names, the log's event of this very SVID is looked
for, and the verdicts that it rests on; the file itself is verified first.`;

// What reads SVIDs is loaded where they are read alone: every other command would wait for it.

export function svidCommand(): Command {
  return new Command("svid")
    .description("look at an SVID offline: whose it is, what it was granted for, and whether it holds")
    .addCommand(inspectCommand())
    .addCommand(verifyCommand());
}

function inspectCommand(): Command {
  return new Command("inspect")
    .description("say what an SVID says of itself; nothing of it is verified")
    .argument("<file>", "certificates in PEM or DER, or a JWT; - reads it from standard input")
    .action(
      action(async ({ terminal, json }, file: string) => {
        const { inspectFile } = await import("./svid-checks.ts");
        return inspectFile(terminal, json, file);
      }),
    );
}

function verifyCommand(): Command {
  return new Command("verify")
    .description("hold an SVID to its trust domain's bundle, and to the log by a custody file")
    .argument("<file>", "certificates in PEM or DER, or a JWT; - reads it from standard input")
    .requiredOption("--bundle <file>", "the trust domain's bundle")
    .option("--trust-domain <name>", "whose bundle it is, where its certificates do not say")
    .option("--audience <audience>", "of a JWT-SVID: the one that you are")
    .option("--custody <file>", "a custody file that tells of it")
    .option("--log-key <key|file>", "the log's verifier key, which you have from elsewhere; with --custody")
    .option("--at <time>", "as of when, such as 2026-03-01T12:00:00Z; now if left out")
    .addHelpText("after", EPILOGUE)
    .action(
      action(async ({ terminal, json }, file: string, options: VerifyOptions) => {
        const { verifyFile } = await import("./svid-checks.ts");
        return verifyFile(terminal, json, file, options);
      }),
    );
}
