import { Command } from "commander";
import type { FsckReport } from "../../services/log/fsck.ts";
import type { SoundTree, WalkOptions } from "../../services/log/fsck-walk.ts";
import { KEY_REPLACED, readLogKey } from "../arguments/log-key.ts";
import { type ConfigOption, configOption, readServerConfig } from "../config.ts";
import { EXIT } from "../exit-codes.ts";
import type { Terminal } from "../output/terminal.ts";
import { action } from "../session.ts";

/** Milliseconds between two writes of the state: a crash loses no more than the work of these. */
const INTERVAL = 2_000;
/** Findings that are printed for people. */
const SHOWN = 50;

interface Options extends ConfigOption {
  readonly logKey?: string;
  readonly state?: string;
}

export function fsckCommand(): Command {
  return new Command("fsck")
    .description(
      "check the whole database against its log (DATABASE_URL, or the data directory), without a server",
    )
    .option("--log-key <key|file>", "the log's verifier key, which you have from elsewhere")
    .option(
      "--state <file>",
      "remembers how far everything was right: evidence below is not read again, and the log must still be that one",
    )
    .addOption(configOption())
    .action(
      action(async ({ terminal, json }, options: Options) => {
        const { databaseUrl, dataDir } = await readServerConfig(options);
        const logKeys = options.logKey === undefined ? undefined : await readLogKey(options.logKey);
        // Loaded here alone: databases are large, and every other command would wait for them.
        const { fsckDatabase } = await import("../../services/log/fsck.ts");
        const { readFsckState } = await import("../../services/log/fsck-state.ts");
        const from = options.state === undefined ? undefined : await readFsckState(options.state);
        const report = await fsckDatabase(
          { dataDir, ...(databaseUrl !== undefined && { databaseUrl }) },
          {
            ...(logKeys !== undefined && { logKeys }),
            ...(from !== undefined && { from }),
            onProgress: await follow(terminal, options.state, from),
          },
        );
        if (json) terminal.printJson({ holds: report.count === 0, from: from?.size ?? 0, ...report });
        else print(terminal, report, from);
        return report.count === 0 ? EXIT.ok : EXIT.refused;
      }),
    );
}

/** Shows how far it is and how fast, and writes the state now and then. */
async function follow(
  terminal: Terminal,
  state: string | undefined,
  from: SoundTree | undefined,
): Promise<NonNullable<WalkOptions["onProgress"]>> {
  const { writeFsckState } = await import("../../services/log/fsck-state.ts");
  const start = performance.now();
  let written = start;
  return async (done, size, sound) => {
    const now = performance.now();
    const rate = Math.round(done / ((now - start) / 1000));
    terminal.progress(`checked ${done} of ${size} entries, ${rate} a second`);
    if (state === undefined || sound === undefined || sound.size <= (from?.size ?? 0)) return;
    if (done < size && now - written < INTERVAL) return;
    await writeFsckState(state, sound);
    written = now;
  };
}

function print(terminal: Terminal, report: FsckReport, from: SoundTree | undefined): void {
  const { size, findings, count, pinned, verifierKeys } = report;
  for (const { table, key, problem } of findings.slice(0, SHOWN))
    terminal.print(`wrong ${table}, ${key}: ${problem}`, "bad");
  if (count > SHOWN) terminal.print(`… and ${count - SHOWN} more; --json has ${findings.length} of them`);
  if (count === 0) terminal.print(`right: ${size} entries, and every table follows from them`, "good");
  else
    terminal.print(
      `The database does not hold: ${count} ${count === 1 ? "finding" : "findings"} in a log of ${size} entries.`,
    );
  if (pinned && findings.some(({ table }) => table === "log_head")) terminal.note(KEY_REPLACED);
  if (from !== undefined)
    terminal.note(`  evidence of the first ${from.size} entries was read by an earlier run, and not again`);
  if (!pinned && verifierKeys.length > 0)
    terminal.note(
      `  the key was the database's own word: ${verifierKeys.join(", ")}; give --log-key to check it`,
    );
}
