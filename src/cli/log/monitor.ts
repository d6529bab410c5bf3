import { Command } from "commander";
import { collect } from "../arguments/collect.ts";
import { EXIT } from "../exit-codes.ts";
import { action } from "../session.ts";
import type { MonitorOptions } from "./monitor-run.ts";

const EPILOGUE = `
Each alarm is one line on stdout. With an auditor's token the project's events are followed as well. A crash at any
moment loses no alarm; at most the last ones are told again. With --once the exit status is
  ${EXIT.ok}  nothing to say
  ${EXIT.refused}  there were alarms
  ${EXIT.usage}  the command line or the state directory is wrong
  ${EXIT.failed}  the server could not be asked, and not for long enough to call it an alarm`;

export function monitorCommand(): Command {
  return new Command("monitor")
    .description(
      "follow a log from outside: prove that it only grows, read every entry, and call when it is not so",
    )
    .requiredOption("--log-key <key|file>", "the log's verifier keys, which you have from elsewhere")
    .option("--state <directory>", "what was seen, and the evidence of alarms", ".vouchsafe-monitor")
    .option("--interval <duration>", "between two looks, such as 10s or 1m", "10s")
    .option("--once", "catch up with the log, and end")
    .option(
      "--watch-digest <digest>",
      "call for each event about it; * for changes of policy and trust",
      collect,
    )
    .option("--watch-signer <pattern>", "call for evidence accepted from such signers", collect)
    .option("--watch-identity <pattern>", "call for what SPIFFE IDs like this are granted or denied", collect)
    .option("--witnesses <file>", "a witness policy: call when a checkpoint goes without its quorum")
    .option("--patience <duration>", "how long a server may be away or behind before that is an alarm", "5m")
    .option("--max-age <duration>", "call when the log does not grow for so long")
    .addHelpText("after", EPILOGUE)
    .action(
      action(async (session, options: MonitorOptions) => {
        // Loaded here alone: every other command would wait for it.
        const { monitorLog } = await import("./monitor-run.ts");
        return monitorLog(session, options);
      }),
    );
}
