import { Command } from "commander";
import { knownDigest } from "./arguments/known-digest.ts";
import { EXIT } from "./exit-codes.ts";
import { short } from "./output/findings.ts";
import { time } from "./output/time.ts";
import { action, type Session } from "./session.ts";
import { UsageError } from "./usage-error.ts";

interface Options {
  readonly policy?: string;
  readonly reason?: string;
  readonly withdraw?: string;
}

export function approveCommand(): Command {
  return new Command("approve")
    .description("approve what passed a policy that asks for approvals, or show who did")
    .argument("<digest|file>", "algorithm:hex, or a file")
    .option("--policy <name>", "the policy to approve it for; without it, show who approved it")
    .option("--reason <text>", "why; it stands in the log")
    .option("--withdraw <id>", "take an approval back")
    .action(
      action(async (session, artifact: string, options: Options) => {
        const { policy, withdraw } = options;
        if (policy !== undefined && withdraw !== undefined) {
          throw new UsageError("Give --policy to approve or --withdraw to take back, not both");
        }
        if (withdraw !== undefined) await takeBack(session, artifact, withdraw, options);
        else if (policy !== undefined) await approve(session, artifact, policy, options);
        else await show(session, artifact);
        return EXIT.ok;
      }),
    );
}

async function approve(
  { client, terminal, json }: Session,
  artifact: string,
  policy: string,
  { reason }: Options,
) {
  const digest = await knownDigest(client(), artifact);
  const approved = await client().approve(digest, { policy, ...(reason !== undefined && { reason }) });
  if (json) return terminal.printJson(approved);
  const { id, approver, attestations, receipt } = approved;
  terminal.print(
    `${approver} approved ${digest} for ${policy}: id ${id}, log index ${receipt.index}`,
    "good",
  );
  terminal.print(`  resting on ${attestations.map(short).join(", ")}`);
}

async function takeBack(
  { client, terminal, json }: Session,
  artifact: string,
  id: string,
  { reason }: Options,
) {
  if (reason === undefined) throw new UsageError("--withdraw needs a --reason");
  const digest = await knownDigest(client(), artifact);
  const withdrawn = await client().withdrawApproval(digest, id, reason);
  if (json) terminal.printJson(withdrawn);
  else terminal.print(`withdrew ${withdrawn.id}: log index ${withdrawn.receipt.index}`, "good");
}

async function show({ client, terminal, json }: Session, artifact: string) {
  const found = await client().readApprovals(await knownDigest(client(), artifact));
  if (json) return terminal.printJson(found);
  for (const { id, policy, approver, reason } of found.approvals) {
    terminal.print(`${id} ${approver} for ${policy}${reason === null ? "" : `: ${reason}`}`);
  }
  if (found.approvals.length + found.policies.length === 0) {
    terminal.note("Nobody approved it, and no active policy asks for approvals.");
  }
  for (const { policy, required, approved, counted, discounted } of found.policies) {
    const tone = approved ? "good" : "bad";
    terminal.print(`${policy} has ${counted.length} of ${required} approvals`, tone);
    for (const { approver, until } of counted) terminal.print(`  ${approver}, until ${time(until)}`);
    for (const { approver, why } of discounted) terminal.print(`  not ${approver}: ${why}`);
  }
}
