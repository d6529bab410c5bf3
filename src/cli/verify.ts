import { Command, Option } from "commander";
import { collect } from "./collect.ts";
import { EXIT } from "./exit-codes.ts";
import { action } from "./session.ts";
import type { VerifyOptions } from "./verify-offline.ts";

const EPILOGUE = `
Somebody must be named who may have signed: an identity with its issuer, a key, or a policy. Without
--trusted-root or --trust, Sigstore's public-good instance is trusted as it ships with vouchsafe.
Options that take a file, a type or a level may be repeated.
One piece of evidence that passes everything asked is enough, whatever stands beside it.`;

export function verifyCommand(): Command {
  return new Command("verify")
    .description("verify an artifact's evidence by files alone, without server or network")
    .argument("<file|digest>", "the artifact, or its sha256:hex, sha384:hex or sha512:hex")
    .requiredOption("--bundle <file>", "its evidence, in any format that is taken", collect)
    .option("--certificate-identity <name>", "who must have signed, exactly as the certificate says")
    .option("--certificate-identity-glob <glob>", "the same, as a glob that matches the whole name")
    .option("--certificate-oidc-issuer <url>", "the issuer that knows the signer by that name")
    .option("--key <file>", "a public key in PEM, or npm's keys.json, which may have signed", collect)
    .option("--policy <file>", "a policy that the artifact must pass on this evidence", collect)
    .option("--policy-name <name>", "which of the policies in the files")
    .option("--any-signer", "take whoever signed, and tell who it was")
    .option("--predicate-type <type>", "the only predicate types that count", collect)
    .option("--verifier-id <uri>", "ask for a verification summary (VSA) by this verifier")
    .option("--resource-uri <uri>", "of this resource")
    .option("--verified-level <level>", "with these levels, such as SLSA_BUILD_LEVEL_3", collect)
    .option(
      "--trusted-root <file>",
      "trusted_root.json of a Sigstore instance, or private roots in PEM",
      collect,
    )
    .option("--trust <file>", "a whole trust document, as `trust show --document` prints it")
    .option(
      "--manifest <file>",
      "an image index or manifest: evidence about it counts for what it holds",
      collect,
    )
    .option(
      "--oci-manifest <file>",
      "the OCI manifest, or the descriptor, whose layers the bundles are (cosign)",
    )
    .option("--rekor-entry <file>", "log entries about envelopes, as Rekor answers them", collect)
    .addOption(new Option("--format <format>", "as --json").choices(["text", "json"]).default("text"))
    .addHelpText("after", EPILOGUE)
    .hook("preAction", (command) => {
      // So that what goes wrong is told as JSON too.
      if (command.opts().format === "json") command.parent?.setOptionValue("json", true);
    })
    .action(
      action(async ({ terminal, json }, artifact: string, options: VerifyOptions) => {
        // Loaded here alone: the verifier is large, and every other command would wait for it.
        const [{ verifyOffline }, { tellVerdict }] = await Promise.all([
          import("./verify-offline.ts"),
          import("./verify-words.ts"),
        ]);
        const verdict = await verifyOffline(artifact, options, Date.now());
        tellVerdict(verdict, terminal, json);
        return verdict.verified ? EXIT.ok : EXIT.refused;
      }),
    );
}
