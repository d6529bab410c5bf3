import { Command } from "commander";
import { collect } from "./arguments/collect.ts";
import { requireReadable } from "./arguments/files.ts";
import type { PartsElsewhere } from "./evidence/joined-evidence.ts";
import { pushAdvice } from "./evidence/push-advice.ts";
import { type PushResult, pushFiles } from "./evidence/push-files.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { printChecks, short } from "./output/findings.ts";
import type { Terminal } from "./output/terminal.ts";
import { action } from "./session.ts";

/** Of the nearest miss, what a push shows; verify-digest and artifact show tell all. */
const CHECKS_SHOWN = 2;

export function pushCommand(): Command {
  return new Command("push")
    .description("push evidence, or the manifests of images, whose parts then pass what they pass")
    .argument("<file...>", "files of evidence, and manifests as registries have them")
    .option(
      "--oci-manifest <file>",
      "the OCI manifest, or the descriptor, whose layers the files are (cosign)",
    )
    .option(
      "--rekor-entry <file>",
      "log entries about envelopes, as Rekor answers them; may be repeated",
      collect,
    )
    .option("--rekor-url <url>", "a Rekor log to search for the entries about envelopes")
    .action(
      action(async ({ client, terminal, json }, files: string[], elsewhere: PartsElsewhere) => {
        // Before anything is sent: a mistyped name must not leave half of the files pushed.
        await Promise.all(files.map(requireReadable));
        // Loaded here alone: with it come the formats of evidence, and every other command would wait for them.
        const { joinWith } = await import("./evidence/joined-evidence.ts");
        const join = await joinWith(elsewhere);
        const results: PushResult[] = [];
        let done = 0;
        for await (const ofFile of pushFiles(client(), files, join)) {
          results.push(...ofFile);
          done += 1;
          if (!json) for (const result of ofFile) show(terminal, result);
          if (files.length > 1) {
            terminal.progress(
              `pushed ${done} of ${files.length} files, ${refusedAmong(results).length} refused`,
            );
          }
        }
        if (json) terminal.printJson({ results });
        else {
          const refused = refusedAmong(results);
          for (const advice of pushAdvice(refused.map(({ code }) => code))) terminal.note(`  ${advice}`);
          if (results.length > 1)
            terminal.note(
              `${results.length - refused.length} of ${results.length} recorded, ${refused.length} refused`,
            );
        }
        return exitOf(results);
      }),
    );
}

function refusedAmong(results: readonly PushResult[]) {
  return results.filter((result) => result.status === "refused");
}

function exitOf(results: readonly PushResult[]): ExitCode {
  const refused = refusedAmong(results);
  if (refused.length === 0) return EXIT.ok;
  return refused.some(({ isPassing }) => isPassing) ? EXIT.failed : EXIT.refused;
}

function show(terminal: Terminal, result: PushResult): void {
  const where = result.item === undefined ? result.file : `${result.file}:${result.item}`;
  if (result.status === "refused") {
    terminal.note(`refused ${where}: ${result.detail} (${result.code})`, "bad");
    return;
  }
  if ("manifest" in result) {
    const { digest, contains, receipt } = result.manifest;
    terminal.print(
      `${result.status} ${where}: manifest of ${digest}, which contains ${contains.length} ${contains.length === 1 ? "other" : "others"}, log index ${receipt.index}`,
      "good",
    );
    return;
  }
  const { attestation, receipt, verdicts } = result;
  terminal.print(`${result.status} ${where}: evidence ${attestation.id}, log index ${receipt.index}`, "good");
  for (const { policy, outcome, artifacts, slsaLevel, checks } of verdicts) {
    terminal.print(
      `  policy ${policy} ${outcome} for ${artifacts.map(short).join(", ")}, SLSA build level ${slsaLevel}`,
    );
    if (outcome === "failed") printChecks(terminal, checks, "    ", CHECKS_SHOWN);
  }
}
