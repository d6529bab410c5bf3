import { Command } from "commander";
import { ApiError } from "../client/api-error.ts";
import { EXIT } from "./exit-codes.ts";
import { exportLogCommand } from "./log/export.ts";
import { followCommand } from "./log/follow.ts";
import { fsckCommand } from "./log/fsck.ts";
import { keyCommand } from "./log/key.ts";
import { monitorCommand } from "./log/monitor.ts";
import { verifyExportCommand } from "./log/verify-export.ts";
import { verifyReceiptCommand } from "./log/verify-receipt.ts";
import { receiptCommand, witnessesCommand } from "./log/witnesses.ts";
import { action } from "./session.ts";
import { UsageError } from "./usage-error.ts";

export function logCommand(): Command {
  const log = new Command("log").description("look at the custody log");
  for (const command of [
    keyCommand(),
    checkpoint(),
    proof(),
    receiptCommand(),
    verifyReceiptCommand(),
    witnessesCommand(),
    followCommand(),
    fsckCommand(),
    monitorCommand(),
    exportLogCommand(),
    verifyExportCommand(),
  ]) {
    log.addCommand(command);
  }
  return log;
}

function checkpoint(): Command {
  return new Command("checkpoint").description("print the log's newest signed checkpoint").action(
    action(async ({ client, terminal, json }) => {
      const note = await client().checkpoint();
      if (json) terminal.printJson({ checkpoint: note });
      else await terminal.write(new TextEncoder().encode(note));
      return EXIT.ok;
    }),
  );
}

function proof(): Command {
  return new Command("proof")
    .description("print a proof that an entry is in the log's newest tree, as a C2SP tlog-proof")
    .argument("<index>", "of the entry, as a receipt has it")
    .action(
      action(async ({ client, terminal, json }, text: string) => {
        if (!/^[0-9]{1,15}$/.test(text)) throw new UsageError(`An index is a whole number, and not ${text}`);
        const proven = await client().proveInclusion({ index: Number(text) });
        const { index, inclusionProof: hashes, checkpoint: note } = proven;
        if (note === null) throw new ApiError("unexpected-answer", "The proof came without its checkpoint");
        if (json) terminal.printJson(proven);
        else {
          const { formatTlogProof } = await import("../tlog/tlog-proof.ts");
          await terminal.write(
            new TextEncoder().encode(formatTlogProof({ index, hashes, checkpoint: note })),
          );
        }
        return EXIT.ok;
      }),
    );
}
