import { open } from "node:fs/promises";
import { createSvidSearch, type FoundSvid } from "../custody/find-svid.ts";
import { openPackEvents } from "../custody/pack/events.ts";
import type { PackReport } from "../custody/pack/report.ts";
import { VouchsafeError } from "../errors.ts";
import {
  type InspectedSvid,
  inspectSvid,
  readBundle,
  readSvid,
  type SvidBytes,
  verifySvid,
} from "../identity/inspect-svid.ts";
import { readBounded } from "../read-bounded.ts";
import { readBytes, requireReadable } from "./arguments/files.ts";
import { readLogKey } from "./arguments/log-key.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Terminal } from "./output/terminal.ts";
import { type SvidCheck, tellFound, tellSvid, timeText } from "./svid-words.ts";
import { UsageError } from "./usage-error.ts";

/** What an SVID is held to; the members are described by `vouchsafe svid verify --help`. */
export interface VerifyOptions {
  readonly bundle: string;
  readonly trustDomain?: string;
  readonly audience?: string;
  readonly custody?: string;
  readonly logKey?: string;
  readonly at?: string;
}

/** More than an SVID with its chain and key takes. */
const MAX_INPUT = 256 * 1024;

/** Says what the SVID in a file says of itself. @returns the exit code */
export async function inspectFile(terminal: Terminal, json: boolean, file: string): Promise<ExitCode> {
  const svid = inspectSvid(readSvid(await readInput(file)));
  if (json) terminal.printJson(described(svid));
  else {
    tellSvid(terminal, svid, Date.now());
    terminal.note("Nothing of this is verified: `vouchsafe svid verify` does.");
  }
  return EXIT.ok;
}

/** Holds the SVID in a file to a bundle and, where one is named, to a custody file. @returns the exit code */
export async function verifyFile(
  terminal: Terminal,
  json: boolean,
  file: string,
  options: VerifyOptions,
): Promise<ExitCode> {
  const now = timeOf(options.at);
  const bytes = readSvid(await readInput(file));
  const svid = inspectSvid(bytes);
  const checks = [checkBundle(bytes, await readBundleFile(options), options.audience, now)];
  const custody = await checkCustody(svid, options, terminal);
  checks.push(...(custody?.checks ?? []));
  const ok = checks.every(({ status }) => status === "holds");
  if (json) {
    const found = custody && { log: custody.report.log, ...custody.found };
    terminal.printJson({ ok, svid: described(svid), checks, custody: found ?? null });
  } else {
    tellSvid(terminal, svid, now);
    if (custody?.found) tellFound(terminal, custody.found);
    tellChecks(terminal, checks);
    if (!ok) tellNext(terminal, svid, checks, now);
  }
  return ok ? EXIT.ok : EXIT.refused;
}

async function readInput(file: string): Promise<Uint8Array> {
  if (file !== "-") return readBytes(file, MAX_INPUT);
  const input = await readBounded(process.stdin, MAX_INPUT);
  if (input === undefined) throw new UsageError("Standard input is larger than an SVID is");
  return input;
}

async function readBundleFile({ bundle, trustDomain }: VerifyOptions) {
  try {
    return readBundle(await readBytes(bundle), trustDomain);
  } catch (cause) {
    if (!(cause instanceof VouchsafeError)) throw cause;
    const isUnnamed = trustDomain === undefined && cause.message.includes("which trust domain");
    const next = isUnnamed ? ": name it with --trust-domain" : "";
    throw new UsageError(`${bundle}: ${cause.message}${next}`, { cause });
  }
}

function timeOf(at: string | undefined): number {
  if (at === undefined) return Date.now();
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(at) ? Date.parse(at) : Number.NaN;
  if (Number.isNaN(time))
    throw new UsageError(`--at takes a time such as 2026-03-01T12:00:00Z, and not ${at}`);
  return time;
}

function checkBundle(
  svid: SvidBytes,
  bundle: ReturnType<typeof readBundle>,
  audience: string | undefined,
  now: number,
): SvidCheck {
  if (svid.kind === "jwt" && audience === undefined) {
    throw new UsageError("A JWT-SVID is for an audience: name yours with --audience");
  }
  try {
    verifySvid(svid, bundle, { audience, now });
    const statement = `It is an SVID of the trust domain ${bundle.trustDomain}, valid at ${timeText(now)}.`;
    return { check: "bundle", status: "holds", statement };
  } catch (error) {
    if (!(error instanceof VouchsafeError)) throw error;
    return { check: "bundle", status: "fails", statement: `${error.message}.` };
  }
}

interface CustodyChecked {
  readonly report: PackReport;
  readonly found: FoundSvid | undefined;
  readonly checks: readonly SvidCheck[];
}

/** The file is verified and searched as it is read once, so that what is found is what was verified. */
async function checkCustody(
  svid: InspectedSvid,
  { custody, logKey }: VerifyOptions,
  terminal: Terminal,
): Promise<CustodyChecked | undefined> {
  if (custody === undefined) return undefined;
  if (logKey === undefined) throw new UsageError("--custody needs --log-key: the log's verifier key");
  await requireReadable(custody);
  // Loaded here alone: the verifier is large, and not every SVID comes with a custody file.
  const { openPackVerifier } = await import("../custody/verify-pack.ts");
  const verifier = openPackVerifier(await readLogKey(logKey));
  const events = openPackEvents();
  const search = createSvidSearch(svid);
  let isReadable = true;
  for await (const piece of (await open(custody)).createReadStream()) {
    verifier.read(piece);
    // What cannot be read at all, the verifier says.
    if (isReadable) isReadable = tried(() => events.read(piece).forEach(search.add));
    terminal.progress(`verifying: ${verifier.progress().done} of ${verifier.progress().of} records`);
  }
  const report = verifier.finish();
  if (!report.ok || !isReadable) {
    const why = report.checks.find(({ status }) => status === "fails")?.statement ?? "";
    const statement = `The custody file does not hold: ${why}`;
    return { report, found: undefined, checks: [{ check: "custody", status: "fails", statement }] };
  }
  const found = search.found();
  return { report, found, checks: [...identityChecks(found, report), ...revocationChecks(found)] };
}

function tried(read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof VouchsafeError) return false;
    throw error;
  }
}

function identityChecks({ event, differences }: FoundSvid, { artifact, log }: PackReport): SvidCheck[] {
  if (event === null) {
    const statement = `The custody file of ${artifact} has no event of this SVID.`;
    return [{ check: "identity", status: "fails", statement }];
  }
  const where = `event ${event.index} of the log ${log?.origin ?? ""}`;
  if (differences.length === 0) {
    const statement = `This very SVID was recorded as ${where}, before it was signed.`;
    return [{ check: "identity", status: "holds", statement }];
  }
  const statement = `It is not what ${where} recorded, which has ${differences.join(", ")}.`;
  return [{ check: "identity", status: "fails", statement }];
}

function revocationChecks({ event, revoked }: FoundSvid): SvidCheck[] {
  if (revoked !== null) {
    const statement = `It was revoked by event ${revoked.index}: ${revoked.reasons.join(", ")}.`;
    return [{ check: "revocation", status: "fails", statement }];
  }
  if (event === null) return [];
  return [{ check: "revocation", status: "holds", statement: "Up to the file's end nothing revoked it." }];
}

function tellChecks(terminal: Terminal, checks: readonly SvidCheck[]): void {
  for (const { status, statement } of checks) {
    terminal.print(`${status} ${statement}`, status === "holds" ? "good" : "bad");
  }
}

/** What to do about what fails. */
function tellNext(terminal: Terminal, svid: InspectedSvid, checks: readonly SvidCheck[], now: number): void {
  const failed = new Set(checks.filter(({ status }) => status === "fails").map(({ check }) => check));
  if (failed.has("bundle")) {
    const lives = (svid.notBefore ?? now) <= now && now <= svid.expiresAt;
    terminal.note(
      lives
        ? `  is it the newest bundle of ${svid.trustDomain}? GET /trust-bundle of its server gives it`
        : "  an SVID is verified as of a time at which it lived: --at TIME",
    );
  }
  if (failed.has("custody"))
    terminal.note("  `vouchsafe custody verify` says all that is wrong with the file");
  if (failed.has("identity")) {
    const [digest = "DIGEST"] = svid.grounds?.digests ?? [];
    terminal.note(`  \`vouchsafe custody export ${digest}\` writes the file that would tell of it`);
  }
  if (failed.has("revocation"))
    terminal.note("  do not believe it: its workload is given a new one, or none");
}

/** As JSON has it: times in RFC 3339. */
function described({ notBefore, expiresAt, ...svid }: InspectedSvid) {
  return {
    ...svid,
    notBefore: notBefore === null ? null : timeText(notBefore),
    expiresAt: timeText(expiresAt),
  };
}
