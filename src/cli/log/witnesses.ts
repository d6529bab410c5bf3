import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import type { Receipt } from "../../client/types.ts";
import { EXIT } from "../exit-codes.ts";
import { action } from "../session.ts";
import { UsageError } from "../usage-error.ts";

export function witnessesCommand(): Command {
  return new Command("witnesses").description("print who cosigns the log, and how far each has come").action(
    action(async ({ client, terminal, json }) => {
      const witnesses = await client().logWitnesses();
      if (json) {
        terminal.printJson(witnesses);
        return EXIT.ok;
      }
      const { treeSize, witnessedSize } = witnesses;
      if (witnesses.witnesses.length === 0) terminal.print("This log has no witnesses.");
      for (const { name, size, cosignedAt, trouble, contradiction } of witnesses.witnesses) {
        const isWell = contradiction === null && (trouble === null || (cosignedAt ?? "") > trouble.at);
        terminal.print(`${name} ${size} of ${treeSize}, ${cosignedAt ?? "never"}`, isWell ? "good" : "bad");
        if (contradiction !== null) terminal.print(`  contradicts the log: ${contradiction}`);
        else if (trouble !== null && !isWell) terminal.print(`  ${trouble.what} (${trouble.at})`);
      }
      if (witnesses.witnesses.length > 0) terminal.print(`witnessed: ${witnessedSize ?? "nothing"}`);
      return EXIT.ok;
    }),
  );
}

/** Between two looks whether a checkpoint was witnessed, in milliseconds. */
const LOOK = 500;

export function receiptCommand(): Command {
  return new Command("receipt")
    .description(
      "print receipts for entries, as JSON: against the newest witnessed checkpoint, where there is one",
    )
    .argument("<index...>", "of entries of the project, as the answers to writes have them")
    .option("--wait <seconds>", "wait that long at most until they are witnessed; fail when they are not")
    .action(
      action(async ({ client, terminal }, texts: readonly string[], { wait }: { readonly wait?: string }) => {
        if (!texts.every((text) => /^[0-9]{1,15}$/.test(text)))
          throw new UsageError(`Indexes are whole numbers, and not ${texts.join(" ")}`);
        if (wait !== undefined && !/^[0-9]{1,4}$/.test(wait))
          throw new UsageError(`--wait takes whole seconds, and not ${wait}`);
        const deadline = performance.now() + Number(wait ?? 0) * 1000;
        let receipts: readonly Receipt[];
        for (;;) {
          receipts = await client().readReceipts(texts.map(Number));
          if (receipts.every(({ witnessed }) => witnessed) || performance.now() + LOOK > deadline) break;
          await sleep(LOOK);
        }
        terminal.printJson({ receipts });
        if (wait === undefined || receipts.every(({ witnessed }) => witnessed)) return EXIT.ok;
        terminal.note("Not witnessed in time: `vouchsafe log witnesses` tells why", "bad");
        return EXIT.refused;
      }),
    );
}
