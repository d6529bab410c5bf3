import { open } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { ApiError } from "../client/api-error.ts";
import { createClient } from "../client/client.ts";
import { type ChainEnds, checkComplete } from "../custody/complete.ts";
import { type PackCheck, type PackReport, withChecks } from "../custody/pack-report.ts";
import type { PackDemands, PackVerifier } from "../custody/verify-pack.ts";
import { type ReadPath, readServedLog } from "../tlog/served-log.ts";
import { parseWitnessPolicy } from "../tlog/witness-policy.ts";
import { collect } from "./collect.ts";
import { EXIT } from "./exit-codes.ts";
import { readBytes, readPolicyFiles, requireReadable } from "./files.ts";
import { loadOrTell } from "./load-policies.ts";
import { readLogKey } from "./log-key-argument.ts";
import { printChecks } from "./print-checks.ts";
import { action, DEFAULT_SERVER, type Session } from "./session.ts";
import type { Terminal } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";
import type { TrustOptions } from "./verify-trust.ts";

interface VerifyOptions extends TrustOptions {
  readonly logKey: string;
  readonly policy?: readonly string[];
  readonly witnesses?: string;
  readonly log?: string;
}

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
      action(async (session, file: string, options: VerifyOptions) => {
        const { terminal, json } = session;
        await requireReadable(file);
        const demands = await readDemands(session, options);
        if (demands === undefined) return EXIT.usage;
        // Loaded here alone: the verifier is large, and every other command would wait for it.
        const { openPackVerifier } = await import("../custody/verify-pack.ts");
        const verifier = openPackVerifier(await readLogKey(options.logKey), demands);
        const verified = await verifyFile(file, verifier, terminal);
        const ends = verifier.ends();
        const report =
          options.log === undefined || ends === undefined
            ? verified
            : withChecks(verified, await readOn(ends, options.log, terminal));
        if (json) terminal.printJson(report);
        else printReport(terminal, report);
        return report.ok ? EXIT.ok : EXIT.refused;
      }),
    );
}

/** Undefined after what is wrong with the policies was told. */
async function readDemands(session: Session, options: VerifyOptions): Promise<PackDemands | undefined> {
  const { policy, witnesses, trustedRoot, key, trust } = options;
  const policies = policy && (await loadOrTell(session, await readPolicyFiles(policy)));
  if (policy !== undefined && policies === undefined) return undefined;
  const hasOwnTrust = [trustedRoot, key, trust].some((given) => given !== undefined);
  return {
    ...(policies && { policies }),
    ...(hasOwnTrust && { trust: (await readOwnTrust(options)).trust }),
    ...(witnesses !== undefined && { witnesses: parseWitnessPolicy(await readBytes(witnesses)) }),
  };
}

/** Loaded here alone: it is large. */
async function readOwnTrust(options: TrustOptions) {
  const { readTrust } = await import("./verify-trust.ts");
  return readTrust(options);
}

async function verifyFile(file: string, verifier: PackVerifier, terminal: Terminal): Promise<PackReport> {
  const handle = await open(file);
  for await (const piece of handle.createReadStream()) {
    verifier.read(piece);
    const { done, of } = verifier.progress();
    terminal.progress(`verifying: ${done} of ${of} records`);
  }
  return verifier.finish();
}

/** What the log itself says of the chains' ends. */
async function readOn(ends: ChainEnds, log: string, terminal: Terminal): Promise<readonly PackCheck[]> {
  const reading = checkComplete(ends, readServedLog(pathReader(log)));
  for (;;) {
    const { done, value } = await reading.next();
    if (done) return value;
    terminal.progress(`reading the log: ${value.done} of ${value.of} entries`);
  }
}

/** Reads below a log's prefix, over HTTP or in a directory that has the same files. */
function pathReader(log: string): ReadPath {
  if (/^https?:/.test(log)) {
    const { readBytes: read } = createClient({ server: log });
    return (path, maxBytes) =>
      read(`/${path}`, maxBytes).catch((cause: unknown) => {
        if (!(cause instanceof ApiError && cause.status === 404)) throw cause;
        throw new UsageError(
          `No log has its tiles below ${log}: --log takes the URL that its checkpoint is below, such as ${DEFAULT_SERVER}/log`,
          { cause },
        );
      });
  }
  return async (path, maxBytes) => {
    const bytes = await readBytes(join(log, path));
    if (bytes.length <= maxBytes) return bytes;
    throw new UsageError(`${join(log, path)} is longer than anything that a log serves`);
  };
}

function printReport(terminal: Terminal, report: PackReport): void {
  printChecks(terminal, "custody file", report);
  const { log, checks } = report;
  if (log === null) return;
  terminal.print(`It says nothing of what the log holds after its size of ${log.size}.`);
  if (!checks.some(({ check }) => check === "complete"))
    terminal.print(
      "That its chains end where they end here rests on the log's operator: --log reads the log on to that size.",
    );
}
