import { Command, Option } from "commander";
import { collect } from "./arguments/collect.ts";
import { EXIT } from "./exit-codes.ts";
import { action } from "./session.ts";
import type { VerifyOptions } from "./verify/offline.ts";

const EPILOGUE = `
Somebody must be named who may have signed: an identity with its issuer, a repository, a source that a known builder
built, a key, or a policy. Without --trusted-root or --trust, Sigstore's public-good instance is trusted as it ships
with vouchsafe. Options that take a file, a type or a level may be repeated. Nobody is asked but the registries that the
artifact or --from names; beside --bundle the artifact's own is asked for its digest alone.
One piece of evidence that passes everything asked is enough, whatever stands beside it.
docs/cli.md has a table for those who come from cosign, slsa-verifier or gh.`;

export function verifyCommand(): Command {
  const command = new Command("verify")
    .description("verify an artifact's evidence without a server: by files alone, or by what registries have")
    .argument(
      "<file|digest|reference>",
      "the artifact, or its sha256:hex, sha384:hex or sha512:hex; or where it is: oci://…, npm:…, pypi:…",
    )
    .option("--provenance-path, --bundle <file>", "its evidence, in any format that is taken", collect)
    .option(
      "--from <reference>",
      "where to look for its evidence: github:acme/widget, oci://…, npm:…, pypi:…",
      collect,
    );
  withSigners(command);
  withProvenance(command);
  withPolicy(command);
  withTrust(command);
  return command
    .addHelpText("after", EPILOGUE)
    .hook("preAction", (command) => {
      // So that what goes wrong is told as JSON too.
      if (command.opts().format === "json") command.parent?.setOptionValue("json", true);
    })
    .action(
      action(async ({ terminal, json }, artifact: string, options: VerifyOptions) => {
        // Loaded here alone: the verifier is large, and every other command would wait for it.
        const [{ verifyOffline }, { tellVerdict }] = await Promise.all([
          import("./verify/offline.ts"),
          import("./verify/words.ts"),
        ]);
        const verdict = await verifyOffline(artifact, options, Date.now(), terminal);
        tellVerdict(verdict, terminal, json);
        return verdict.verified ? EXIT.ok : EXIT.refused;
      }),
    );
}

/** cosign's names, and gh's. */
function withSigners(command: Command): void {
  command
    .optionsGroup("Who may have signed:")
    .option("--cert-identity, --certificate-identity <name>", "this name, exactly as the certificate says")
    .option(
      "--cert-identity-regex, --certificate-identity-regexp <expression>",
      "a name that the whole of this matches (RE2's syntax, anchored at both ends)",
    )
    .option("--certificate-identity-glob <glob>", "the same, as a glob")
    .option(
      "--cert-oidc-issuer, --certificate-oidc-issuer <url>",
      "the issuer that knows the signer by that name",
    )
    .option("--certificate-oidc-issuer-regexp <expression>", "the same, as a regular expression")
    .option("-R, --repo <owner/repo>", "a workflow on GitHub, in a run of this repository")
    .option("-o, --owner <owner>", "a workflow on GitHub, in a run of a repository of theirs")
    .option(
      "--signer-workflow <owner/repo/path>",
      "this reusable workflow instead of one of the repository's",
    )
    .option("--signer-repo <owner/repo>", "any workflow of this repository instead")
    .option("--deny-self-hosted-runners", "on a runner that GitHub hosts")
    .option("--key <file>", "a public key in PEM, or npm's keys.json", collect)
    .option("--any-signer", "whoever it was: it is told who");
}

/** slsa-verifier's names. */
function withProvenance(command: Command): void {
  command
    .optionsGroup("What SLSA provenance must say:")
    .option("--source-uri <uri>", "built from this repository, such as github.com/acme/widget")
    .option("--source-branch <branch>", "from this branch")
    .option("--source-tag <tag>", "from exactly this tag")
    .option("--source-versioned-tag <version>", "from a tag of this version: v1.2 takes v1.2.3")
    .option(
      "--builder-id <uri>",
      "by this builder, at a release or @v1.2.3; if nobody is named who may have signed, by slsa-github-generator",
    )
    .option("--build-workflow-input <key=value>", "dispatched with this input", collect)
    .option("--package-name <name>", "of this npm package, such as @acme/widget")
    .option("--package-version <version>", "of this version of it");
}

function withPolicy(command: Command): void {
  command
    .optionsGroup("What else is asked:")
    .option("--policy <file>", "a policy that the artifact must pass on this evidence", collect)
    .option("--policy-name <name>", "which of the policies in the files")
    .option(
      "--type, --predicate-type <type>",
      "the only predicate types that count, as URIs or by cosign's short names (slsaprovenance1, spdx, …)",
      collect,
    )
    .option("--verifier-id <uri>", "a verification summary (VSA) by this verifier")
    .option("--resource-uri <uri>", "of this resource")
    .option("--verified-level <level>", "with these levels, such as SLSA_BUILD_LEVEL_3", collect);
}

function withTrust(command: Command): void {
  command
    .optionsGroup("Who is believed, and where the rest of the evidence is:")
    .option(
      "--custom-trusted-root, --trusted-root <file>",
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
    .optionsGroup("Options:")
    .addOption(new Option("--format <format>", "as --json").choices(["text", "json"]).default("text"));
}
