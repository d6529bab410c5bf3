import { open } from "node:fs/promises";
import { Command } from "commander";
import { requireReadable } from "../arguments/files.ts";
import { readLogKey } from "../arguments/log-key.ts";
import { EXIT } from "../exit-codes.ts";
import { printChecks } from "../print-checks.ts";
import { action } from "../session.ts";

export function verifyExportCommand(): Command {
  return new Command("verify-export")
    .description(
      "check an exported range offline: that these are the log's entries, every one, and what they say",
    )
    .argument("<file>", "as written by log export")
    .requiredOption("--log-key <key|file>", "the log's verifier key, which you have from elsewhere")
    .action(
      action(async ({ terminal, json }, file: string, { logKey }: { logKey: string }) => {
        await requireReadable(file);
        // Loaded here alone: it knows events and their bodies, and most commands need neither.
        const { openExportVerifier } = await import("../../custody/verify-log-export.ts");
        const verifier = openExportVerifier(await readLogKey(logKey));
        const handle = await open(file);
        for await (const piece of handle.createReadStream()) {
          verifier.read(piece);
          const { done, of } = verifier.progress();
          terminal.progress(`verifying: ${done} of ${of} entries`);
        }
        const report = verifier.finish();
        if (json) terminal.printJson(report);
        else printChecks(terminal, "exported range", report);
        return report.ok ? EXIT.ok : EXIT.refused;
      }),
    );
}
