import { open } from "node:fs/promises";
import { join } from "node:path";
import { ApiError } from "../../client/api-error.ts";
import { createClient } from "../../client/client.ts";
import { type ChainEnds, checkComplete } from "../../custody/pack/complete.ts";
import { type PackCheck, type PackReport, withChecks } from "../../custody/pack/report.ts";
import { openPackVerifier, type PackDemands, type PackVerifier } from "../../custody/verify-pack.ts";
import { VouchsafeError } from "../../errors.ts";
import { type ReadPath, readServedLog } from "../../tlog/served-log.ts";
import { readBytes, readPolicyFiles, requirePolicy, requireReadable } from "../arguments/files.ts";
import { readLogKey } from "../arguments/log-key.ts";
import { loadOrTell } from "../arguments/policies.ts";
import type { TrustOptions } from "../arguments/trust.ts";
import { readWitnesses } from "../arguments/witnesses.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Terminal } from "../output/terminal.ts";
import { printChecks } from "../print-checks.ts";
import { DEFAULT_SERVER, type Session } from "../session.ts";
import { UsageError } from "../usage-error.ts";

export interface CustodyVerifyOptions extends TrustOptions {
  readonly logKey: string;
  readonly policy?: readonly string[];
  readonly witnesses?: string;
  readonly log?: string;
}

/** Checks a custody file and tells what it says. */
export async function verifyCustody(
  session: Session,
  file: string,
  options: CustodyVerifyOptions,
): Promise<ExitCode> {
  const { terminal, json } = session;
  await requireReadable(file);
  const demands = await readDemands(session, options);
  if (demands === undefined) return EXIT.usage;
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
}

/** Undefined after what is wrong with the policies was told. */
async function readDemands(
  session: Session,
  options: CustodyVerifyOptions,
): Promise<PackDemands | undefined> {
  const { policy, witnesses, trustedRoot, key, trust } = options;
  const policies = policy && (await loadOrTell(session, await readPolicyFiles(policy)));
  if (policy !== undefined) {
    if (policies === undefined) return undefined;
    requirePolicy(policies, policy);
  }
  const hasOwnTrust = [trustedRoot, key, trust].some((given) => given !== undefined);
  return {
    ...(policies && { policies }),
    ...(hasOwnTrust && { trust: (await readOwnTrust(options)).trust }),
    ...(witnesses !== undefined && { witnesses: await readWitnesses(witnesses) }),
  };
}

/** Loaded here alone: it is large. */
async function readOwnTrust(options: TrustOptions) {
  const { readTrust } = await import("../arguments/trust.ts");
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
        if (!(cause instanceof ApiError)) throw cause;
        if (cause.code === "unreachable")
          throw new VouchsafeError("outbound-failed", `${cause.message}. Name another with --log`, { cause });
        if (cause.status !== 404) throw cause;
        throw new UsageError(
          `No log has its tiles below ${log}: --log takes the URL that its checkpoint is below, such as ${DEFAULT_SERVER}/log`,
          { cause },
        );
      });
  }
  return (path, maxBytes) => readBytes(join(log, path), maxBytes);
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
