import { Command } from "commander";
import { collect } from "../arguments/collect.ts";
import { action } from "../session.ts";
import type { CustodyVerifyOptions } from "./verify-run.ts";

const EPILOGUE = `
Without further options everything is verified as it was: under the trust and by the policies that the file brings along,
which the log says were in force. With --trusted-root, --key or --trust each attestation must verify under these as
well, at its own time; with --policy the artifact must pass these as of the file's last event.`;

export function verifyCommand(): Command {
  return new Command("verify")
    .description("check a custody file offline: proofs, evidence, policies and verdicts, as they were")
    .argument("<file>", "as written by custody export")
    .requiredOption("--log-key <key|file>", "the log's verifier key, which you have from elsewhere")
    .option(
      "--trusted-root <file>",
      "your own trusted_root.json of a Sigstore instance, or private roots in PEM",
      collect,
    )
    .option("--key <file>", "a public key in PEM, or npm's keys.json, that you believe", collect)
    .option("--trust <file>", "a whole trust document, as `trust show --document` prints it")
    .option("--policy <dir|file>", "your own policies", collect)
    .option("--witnesses <file>", "a witness policy: the checkpoint must have its quorum's cosignatures")
    .option("--log <url|dir>", "the log's tiles, to see that the file's chains end where it does")
    .addHelpText("after", EPILOGUE)
    .action(
      action(async (session, file: string, options: CustodyVerifyOptions) => {
        // Loaded here alone: the verifier is large, and every other command would wait for it.
        const { verifyCustody } = await import("./verify-run.ts");
        return verifyCustody(session, file, options);
      }),
    );
}
