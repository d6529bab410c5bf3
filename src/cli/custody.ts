import { open } from "node:fs/promises";
import { Command } from "commander";
import type { PackReport, PackStatus } from "../custody/pack-report.ts";
import { digestOfArgument } from "./artifact-argument.ts";
import { EXIT } from "./exit-codes.ts";
import { readBytes } from "./files.ts";
import { readLogKey } from "./log-key-argument.ts";
import { action } from "./session.ts";
import { UsageError } from "./usage-error.ts";

export function custodyCommand(): Command {
  return new Command("custody")
    .description("show, export and verify an artifact's chain of custody")
    .addCommand(show())
    .addCommand(exportFile())
    .addCommand(verify());
}

function show(): Command {
  return new Command("show")
    .description("show what the log holds about an artifact, in order")
    .argument("<digest|file>", "algorithm:hex, or a file to take the sha256 of")
    .action(
      action(async ({ client, terminal, json }, artifact: string) => {
        const chain = await client().readCustody(await digestOfArgument(artifact));
        if (json) terminal.printJson(chain);
        else {
          terminal.print(`${chain.artifact}: ${chain.events.length} events in ${chain.origin}`);
          for (const { index, time, type, body } of chain.events) {
            terminal.print(`  ${index} ${time} ${type} ${gist(body)}`.trimEnd());
          }
          terminal.print(`  as of log size ${chain.treeSize}`);
        }
        return EXIT.ok;
      }),
    );
}

/** The member that tells one event of a type from the next, for people; --json has everything. */
function gist(body: Readonly<Record<string, unknown>>): string {
  const telling = [
    "reason",
    "policy",
    "attestation",
    "grantedTo",
    "spiffeId",
    "requester",
    "policySet",
    "trust",
  ];
  const value = telling.map((name) => body[name]).find((member) => typeof member === "string");
  return typeof value === "string" ? value : "";
}

function exportFile(): Command {
  return new Command("export")
    .description("write an artifact's custody file, which anybody can verify offline")
    .argument("<digest|file>", "algorithm:hex, or a file to take the sha256 of")
    .option("-o, --output <file>", "where to; - for stdout (default: custody-<digest>.jsonl)")
    .action(
      action(async ({ client, terminal, json }, artifact: string, { output }: { output?: string }) => {
        const digest = await digestOfArgument(artifact);
        const bytes = await client().exportCustody(digest);
        if (output === "-") {
          await terminal.write(bytes);
          return EXIT.ok;
        }
        const file = output ?? `custody-${digest.replace(":", "-")}.jsonl`;
        await writeNew(file, bytes);
        if (json) terminal.printJson({ file, artifact: digest, size: bytes.length });
        else {
          terminal.print(`wrote ${file}: ${bytes.length} bytes`, "good");
          terminal.note(`  verify it anywhere: vouchsafe custody verify ${file} --log-key KEY`);
        }
        return EXIT.ok;
      }),
    );
}

/** Evidence is not overwritten: a file of that name may be the only copy of what held before. */
async function writeNew(file: string, bytes: Uint8Array): Promise<void> {
  try {
    const handle = await open(file, "wx");
    await handle.writeFile(bytes);
    await handle.close();
  } catch (cause) {
    throw new UsageError(
      `${file} cannot be written: it exists already, or its directory does not; name another with --output`,
      {
        cause,
      },
    );
  }
}

function verify(): Command {
  return new Command("verify")
    .description("check a custody file offline: proofs, evidence, policies and verdicts, as they were")
    .argument("<file>", "as written by custody export")
    .requiredOption("--log-key <key|file>", "the log's verifier key, which you have from elsewhere")
    .action(
      action(async ({ terminal, json }, file: string, { logKey }: { logKey: string }) => {
        // Loaded here alone: the verifier is large, and every other command would wait for it.
        const { verifyPack } = await import("../custody/verify-pack.ts");
        const report = verifyPack(await readBytes(file), await readLogKey(logKey));
        if (json) terminal.printJson(report);
        else {
          for (const { status, statement } of report.checks) {
            terminal.print(`${status} ${statement}`, MARKS[status]);
          }
          terminal.print(verdictOf(report));
        }
        return report.ok ? EXIT.ok : EXIT.refused;
      }),
    );
}

const MARKS = { holds: "good", fails: "bad", "not-re-verifiable": "plain" } as const;

/** The sentence to quote. It counts, so that what could not be verified again is not passed over. */
function verdictOf({ ok, checks }: PackReport): string {
  const count = (status: PackStatus) => checks.filter((check) => check.status === status).length;
  const counts = `${count("holds")} hold, ${count("fails")} fail, ${count("not-re-verifiable")} cannot be verified again`;
  return `The custody file ${ok ? "holds" : "does not hold"}: of ${checks.length} checks ${counts}.`;
}
