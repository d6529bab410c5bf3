import { Command } from "commander";
import type { RevocationTarget } from "../client/revocation-types.ts";
import { knownDigest } from "./arguments/known-digest.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { revokedText, tellFalls } from "./output/revocation-words.ts";
import type { Terminal } from "./output/terminal.ts";
import { action, type Session } from "./session.ts";
import { UsageError } from "./usage-error.ts";

interface Options {
  readonly reason?: string;
  readonly dryRun?: boolean;
}

interface WindowOptions extends Options {
  readonly from?: string;
  readonly until?: string;
}

interface SignerOptions extends WindowOptions {
  readonly issuer?: string;
  readonly identity?: string;
  readonly key?: string;
}

export function revokeCommand(): Command {
  return new Command("revoke")
    .description("have evidence count for nothing, and show what falls with it")
    .addCommand(
      about("attestation", "one piece of evidence, pushed or not")
        .argument("<digest|file>", "its id, the sha256 of its bytes, or a file that holds it alone")
        .action(
          action(async (session, evidence: string, options: Options) => {
            // Loaded here alone: with it come the formats of evidence, and every other command would wait for them.
            const { evidenceIdOf } = await import("./evidence/evidence-id.ts");
            return revoke(session, { attestation: await evidenceIdOf(evidence) }, options);
          }),
        ),
    )
    .addCommand(
      windowed("signer", "what somebody signed")
        .option("--issuer <url>", "of a certificate, with --identity")
        .option("--identity <name>", "the certificate's subject alternative name")
        .option("--key <name>", "a key of the trust snapshot, in their place")
        .action(
          action((session, options: SignerOptions) =>
            revoke(session, { signer: signerIn(options), ...windowIn(options) }, options),
          ),
        ),
    )
    .addCommand(
      windowed("builder", "provenance that names a builder")
        .argument("<id>", "as the provenance writes it")
        .action(
          action((session, builder: string, options: WindowOptions) =>
            revoke(session, { builder, ...windowIn(options) }, options),
          ),
        ),
    )
    .addCommand(
      about("repository", "what was built from a source repository")
        .argument("<uri>", "such as https://github.com/acme/app")
        .action(
          action((session, repository: string, options: Options) => revoke(session, { repository }, options)),
        ),
    )
    .addCommand(
      about("artifact", "whatever is about one artifact")
        .argument("<digest|file>", "algorithm:hex, or a file")
        .action(
          action(async (session, artifact: string, options: Options) =>
            revoke(session, { artifact: await knownDigest(session.client(), artifact) }, options),
          ),
        ),
    );
}

function about(what: string, description: string): Command {
  return new Command(what)
    .description(`revoke ${description}`)
    .option("--reason <text>", "why; it stands in the log")
    .option("--dry-run", "show what would fall, and revoke nothing");
}

function windowed(what: string, description: string): Command {
  return about(what, description)
    .option("--from <time>", "only what was signed then or later, such as 2026-03-01T12:00:00Z")
    .option("--until <time>", "only what was signed before");
}

async function revoke(
  { client, terminal, json }: Session,
  target: RevocationTarget,
  { reason, dryRun = false }: Options,
): Promise<ExitCode> {
  if (dryRun) {
    const preview = await client().previewRevocation(target, reason ?? "dry run");
    if (json) terminal.printJson(preview);
    else {
      terminal.print(`nothing is revoked; by ${revokedText(preview.target)}`);
      warnOfUnknown(terminal, preview.target);
      tellFalls(terminal, preview.falls, "would fall");
    }
    return EXIT.ok;
  }
  if (reason === undefined) throw new UsageError("Give a --reason, or --dry-run to see what would fall");
  const revoked = await client().revoke(target, reason);
  if (json) terminal.printJson(revoked);
  else {
    const { id, target, receipt, falls } = revoked;
    terminal.print(`revoked ${revokedText(target)}: id ${id}, log index ${receipt.index}`, "good");
    warnOfUnknown(terminal, target);
    if (falls === null) terminal.note("what falls could not be found out; it falls all the same");
    else tellFalls(terminal, falls, "falls");
  }
  return EXIT.ok;
}

/** Of evidence that the server has, it says what was signed. */
function warnOfUnknown(terminal: Terminal, target: RevocationTarget): void {
  if (!("attestation" in target) || target.payload !== undefined) return;
  terminal.note("beware: no such evidence was pushed. What was signed still counts in other bytes", "bad");
}

function signerIn({ issuer, identity, key }: SignerOptions) {
  if (key !== undefined && issuer === undefined && identity === undefined) return { key };
  if (key === undefined && issuer !== undefined && identity !== undefined) return { issuer, identity };
  throw new UsageError("Name a signer by --issuer and --identity, or by --key");
}

function windowIn({ from, until }: WindowOptions) {
  return { ...(from !== undefined && { from }), ...(until !== undefined && { until }) };
}
