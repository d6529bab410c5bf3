import { open } from "node:fs/promises";
import { Command } from "commander";
import type { PackReport, PackStatus } from "../custody/pack-report.ts";
import type { PackVerifier } from "../custody/verify-pack.ts";
import { EXIT } from "./exit-codes.ts";
import { requireReadable } from "./files.ts";
import { readLogKey } from "./log-key-argument.ts";
import { action } from "./session.ts";
import type { Terminal } from "./terminal.ts";

interface VerifyOptions {
  readonly logKey: string;
}

export function verifyCommand(): Command {
  return new Command("verify")
    .description("check a custody file offline: proofs, evidence, policies and verdicts, as they were")
    .argument("<file>", "as written by custody export")
    .requiredOption("--log-key <key|file>", "the log's verifier key, which you have from elsewhere")
    .action(
      action(async ({ terminal, json }, file: string, { logKey }: VerifyOptions) => {
        await requireReadable(file);
        // Loaded here alone: the verifier is large, and every other command would wait for it.
        const { openPackVerifier } = await import("../custody/verify-pack.ts");
        const report = await verifyFile(file, openPackVerifier(await readLogKey(logKey)), terminal);
        if (json) terminal.printJson(report);
        else printReport(terminal, report);
        return report.ok ? EXIT.ok : EXIT.refused;
      }),
    );
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

const MARKS = { holds: "good", fails: "bad", "not-re-verifiable": "plain" } as const;

/** The last sentence is the one to quote. It counts, so that what could not be verified again is not passed over. */
function printReport(terminal: Terminal, { ok, checks }: PackReport): void {
  for (const { status, statement } of checks) terminal.print(`${status} ${statement}`, MARKS[status]);
  const count = (status: PackStatus) => checks.filter((check) => check.status === status).length;
  terminal.print(
    `The custody file ${ok ? "holds" : "does not hold"}. Of ${checks.length} checks ${count("holds")} hold, ` +
      `${count("fails")} fail, and ${count("not-re-verifiable")} cannot be made again.`,
  );
}
