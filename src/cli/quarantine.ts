import { Command } from "commander";
import type { QuarantineTarget } from "../client/quarantines.ts";
import { digestsOfArgument } from "./arguments/artifact.ts";
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
    .argument("[digest|file]", "the artifact: algorithm:hex, or a file, by each of its digests")
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
        quarantine(session, await targetsIn(artifact, options), options),
      ),
    );
}

async function quarantine(
  session: Session,
  targets: readonly QuarantineTarget[],
  { reason, dryRun = false }: Options,
): Promise<ExitCode> {
  const { client, terminal } = session;
  if (dryRun) {
    const preview = (target: QuarantineTarget) => client().previewQuarantine(target, reason ?? "dry run");
    return inTurn(session, targets, preview, ({ target, falls }) => {
      terminal.print(`nothing is quarantined; by ${quarantinedText(target)}`);
      tellFalls(terminal, falls, "would fall");
    });
  }
  if (reason === undefined) throw new UsageError("Give a --reason, or --dry-run to see what would fall");
  const open = (target: QuarantineTarget) => client().openQuarantine(target, reason);
  return inTurn(session, targets, open, ({ id, target, receipt, falls }) => {
    terminal.print(`quarantined ${quarantinedText(target)}: id ${id}, log index ${receipt.index}`, "good");
    if (falls === null) terminal.note("what falls could not be found out; it falls all the same");
    else tellFalls(terminal, falls, "falls");
  });
}

/** Each told as it is done, for what fails then leaves it done. As JSON the others stand beside the first. */
async function inTurn<Given, Done extends object>(
  { terminal, json }: Session,
  all: readonly Given[],
  run: (one: Given) => Promise<Done>,
  tell: (done: Done) => void,
): Promise<ExitCode> {
  const results: Done[] = [];
  for (const one of all) {
    const done = await run(one);
    if (!json) tell(done);
    results.push(done);
  }
  const [first, ...also] = results;
  if (json) terminal.printJson(also.length === 0 ? first : { ...first, also });
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
    .argument("<id...>", "as shown by quarantine ls")
    .requiredOption("--reason <text>", "why; it stands in the log")
    .action(
      action((session, ids: readonly string[], { reason }: { reason: string }) => {
        const lift = (id: string) => session.client().liftQuarantine(id, reason);
        return inTurn(session, ids, lift, ({ id, receipt }) =>
          session.terminal.print(`lifted ${id}: log index ${receipt.index}`, "good"),
        );
      }),
    );
}

/**
 * Of exactly one of them: who means two opens two. A file is quarantined by each of its digests, known or not:
 * evidence may call it by any, and may yet be pushed.
 */
async function targetsIn(
  artifact: string | undefined,
  options: TargetOptions,
): Promise<readonly QuarantineTarget[]> {
  const { builder, repository, signer, issuer, key, policy, spiffeId, serial } = options;
  const artifacts = [artifact, options.digest].flatMap((one) => one ?? []);
  const targets: readonly QuarantineTarget[] = [
    ...(builder === undefined ? [] : [{ builder }]),
    ...(repository === undefined ? [] : [{ repository }]),
    ...(signer === undefined && issuer === undefined ? [] : [{ signer: certified(issuer, signer) }]),
    ...(key === undefined ? [] : [{ signer: { key } }]),
    ...(policy === undefined ? [] : [{ policy }]),
    ...(spiffeId === undefined ? [] : [{ spiffeId }]),
    ...(serial === undefined ? [] : [{ serial: serialOfArgument(serial) }]),
  ];
  if (artifacts.length + targets.length !== 1)
    throw new UsageError(
      "Say one thing: a digest or a file, --builder, --repository, --signer with --issuer, --key, --policy, --spiffe-id or --serial",
    );
  const [named] = artifacts;
  return named === undefined ? targets : (await digestsOfArgument(named)).map((artifact) => ({ artifact }));
}

function certified(issuer: string | undefined, identity: string | undefined) {
  if (issuer !== undefined && identity !== undefined) return { issuer, identity };
  throw new UsageError("Name a signer by --signer and --issuer, or by --key");
}
