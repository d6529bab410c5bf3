import { Command } from "commander";
import type { WouldDenial, WouldDenyQuery } from "../../client/reports.ts";
import { knownDigest } from "../arguments/known-digest.ts";
import { EXIT } from "../exit-codes.ts";
import type { Terminal } from "../output/terminal.ts";
import { action } from "../session.ts";

const MOST = 200;

export function policyReportCommand(): Command {
  return new Command("report")
    .description("show who would be denied if the policies in audit mode were enforced")
    .option("--policy <name>", "only by this policy")
    .option("--workload <name>", "only what was asked for by this workload policy")
    .option("--artifact <digest|file>", "only for this artifact")
    .option("--since <time>", "only what was recorded then or later, such as 2026-03-01T12:00:00Z")
    .action(
      action(async ({ client, terminal, json }, { artifact, ...named }: Omit<WouldDenyQuery, "limit">) => {
        const report = await client().reportWouldDeny({
          ...named,
          ...(artifact !== undefined && { artifact: await knownDigest(client(), artifact) }),
          limit: MOST,
        });
        if (json) terminal.printJson(report);
        else {
          for (const line of report.wouldDeny) tell(terminal, line);
          if (report.wouldDeny.length === 0) terminal.print("nobody would have been denied", "good");
          if (report.truncated) terminal.note("there are more: name a --policy, or a later --since");
        }
        return EXIT.ok;
      }),
    );
}

function tell(
  terminal: Terminal,
  { requester, workload, policy, because, artifact, count, lastTime, last }: WouldDenial,
): void {
  const by = [workload, policy].flatMap((name) => name ?? []).join(", ");
  const why = because === null ? "" : ` (${because})`;
  terminal.print(`${requester} would be denied by ${by}${why}`, "bad");
  terminal.print(`  ${count} ${count === 1 ? "time" : "times"}, last at ${lastTime} (#${last})`);
  if (artifact !== null) terminal.print(`  for ${artifact}`);
}
