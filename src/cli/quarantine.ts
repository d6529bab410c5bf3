import { Command } from "commander";
import type { QuarantineTarget } from "../client/quarantines.ts";
import { digestOfArgument } from "./arguments/artifact.ts";
import { serialOfArgument } from "./arguments/serial.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { quarantinedText, tellFalls } from "./output/revocation-words.ts";
import { printTable } from "./output/table.ts";
import { action, type Session } from "./session.ts";
import { UsageError } from "./usage-error.ts";

interface TargetOptions {
  readonly digest?: string;
  readonly builder?: string;
  readonly repository?: string;
  readonly signer?: string;
  readonly issuer?: string;
  readonly key?: string;
  readonly policy?: string;
  readonly spiffeId?: string;
  readonly serial?: string;
}

interface Options extends TargetOptions {
  readonly reason?: string;
  readonly dryRun?: boolean;
}

export function quarantineCommand(): Command {
  return new Command("quarantine")
    .description("deny whatever the evidence says: an artifact, a builder's, a policy, an identity")
    .addCommand(add())
    .addCommand(list())
    .addCommand(lift());
}

function add(): Command {
  return new Command("add")
    .description("deny from now on, and show what falls")
    .argument("[digest|file]", "the artifact: algorithm:hex, or a file to take the sha256 of")
    .option("--digest <digest|file>", "the same")
    .option("--builder <id>", "whatever has provenance that names this builder")
    .option("--repository <uri>", "whatever was built from this source, such as https://github.com/acme/app")
    .option("--signer <identity>", "whatever this certificate identity signed about, with --issuer")
    .option("--issuer <url>", "of the certificate")
    .option("--key <name>", "whatever a key of the trust snapshot signed about")
    .option("--policy <name>", "every decision that names this policy")
    .option("--spiffe-id <id>", "every grant of this identity")
    .option("--serial <number>", "one SVID, by its serial number in hex or its jti: it is not renewed")
    .option("--reason <text>", "why; it stands in the log")
    .option("--dry-run", "show what would fall, and quarantine nothing")
    .action(
      action(async (session, artifact: string | undefined, options: Options) =>
        quarantine(session, await targetIn(artifact, options), options),
      ),
    );
}

async function quarantine(
  { client, terminal, json }: Session,
  target: QuarantineTarget,
  { reason, dryRun = false }: Options,
): Promise<ExitCode> {
  if (dryRun) {
    const preview = await client().previewQuarantine(target, reason ?? "dry run");
    if (json) terminal.printJson(preview);
    else {
      terminal.print(`nothing is quarantined; by ${quarantinedText(preview.target)}`);
      tellFalls(terminal, preview.falls, "would fall");
    }
    return EXIT.ok;
  }
  if (reason === undefined) throw new UsageError("Give a --reason, or --dry-run to see what would fall");
  const opened = await client().openQuarantine(target, reason);
  if (json) terminal.printJson(opened);
  else {
    const { id, target, receipt, falls } = opened;
    terminal.print(`quarantined ${quarantinedText(target)}: id ${id}, log index ${receipt.index}`, "good");
    if (falls === null) terminal.note("what falls could not be found out; it falls all the same");
    else tellFalls(terminal, falls, "falls");
  }
  return EXIT.ok;
}

function list(): Command {
  return new Command("ls")
    .alias("list")
    .description("show what is quarantined")
    .action(
      action(async ({ client, terminal, json }) => {
        const quarantines = await client().listQuarantines();
        if (json) terminal.printJson({ quarantines });
        else {
          const rows = quarantines.map(({ id, target, reason }) => [id, quarantinedText(target), reason]);
          printTable(terminal, ["ID", "QUARANTINED", "REASON"], rows, { empty: "Nothing is quarantined." });
        }
        return EXIT.ok;
      }),
    );
}

function lift(): Command {
  return new Command("lift")
    .description("end a quarantine: the evidence decides again")
    .argument("<id>", "as shown by quarantine ls")
    .requiredOption("--reason <text>", "why; it stands in the log")
    .action(
      action(async ({ client, terminal, json }, id: string, { reason }: { reason: string }) => {
        const lifted = await client().liftQuarantine(id, reason);
        if (json) terminal.printJson(lifted);
        else terminal.print(`lifted ${lifted.id}: log index ${lifted.receipt.index}`, "good");
        return EXIT.ok;
      }),
    );
}

/** Exactly one of them: who means two opens two. */
async function targetIn(artifact: string | undefined, options: TargetOptions): Promise<QuarantineTarget> {
  const { builder, repository, signer, issuer, key, policy, spiffeId, serial } = options;
  const digests = [artifact, options.digest].flatMap((one) => one ?? []);
  const artifacts = await Promise.all(digests.map((digest) => digestOfArgument(digest)));
  const targets: readonly QuarantineTarget[] = [
    ...artifacts.map((artifact) => ({ artifact })),
    ...(builder === undefined ? [] : [{ builder }]),
    ...(repository === undefined ? [] : [{ repository }]),
    ...(signer === undefined && issuer === undefined ? [] : [{ signer: certified(issuer, signer) }]),
    ...(key === undefined ? [] : [{ signer: { key } }]),
    ...(policy === undefined ? [] : [{ policy }]),
    ...(spiffeId === undefined ? [] : [{ spiffeId }]),
    ...(serial === undefined ? [] : [{ serial: serialOfArgument(serial) }]),
  ];
  const [target, ...others] = targets;
  if (target === undefined || others.length > 0)
    throw new UsageError(
      "Say one thing: a digest or a file, --builder, --repository, --signer with --issuer, --key, --policy, --spiffe-id or --serial",
    );
  return target;
}

function certified(issuer: string | undefined, identity: string | undefined) {
  if (issuer !== undefined && identity !== undefined) return { issuer, identity };
  throw new UsageError("Name a signer by --signer and --issuer, or by --key");
}
