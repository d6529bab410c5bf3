import { Command } from "commander";
import type { Exception } from "../client/approval-types.ts";
import { durationIn } from "./arguments/duration.ts";
import { knownDigest } from "./arguments/known-digest.ts";
import { EXIT } from "./exit-codes.ts";
import { printTable } from "./output/table.ts";
import { time } from "./output/time.ts";
import { action } from "./session.ts";
import { UsageError } from "./usage-error.ts";

interface GrantOptions {
  readonly policy: string;
  readonly owner: string;
  readonly reason: string;
  readonly for: string;
}

export function exceptionCommand(): Command {
  return new Command("exception")
    .description("let an artifact through a policy that denies it, for a while")
    .addCommand(grant())
    .addCommand(list())
    .addCommand(withdraw());
}

function grant(): Command {
  return new Command("grant")
    .description("let an artifact through from now on, for 72 hours at most")
    .argument("<digest|file>", "algorithm:hex, or a file")
    .requiredOption("--policy <name>", "the policy that it is let through")
    .requiredOption("--owner <name>", "who answers for it")
    .requiredOption("--reason <text>", "why; it stands in the log and in every answer")
    .requiredOption("--for <duration>", "how long, such as 30m or 4h")
    .action(
      action(async ({ client, terminal, json }, artifact: string, options: GrantOptions) => {
        const { policy, owner, reason } = options;
        const expiresAt = new Date(Date.now() + durationOf(options.for)).toISOString();
        const digest = await knownDigest(client(), artifact);
        const granted = await client().grantException(digest, { policy, owner, reason, expiresAt });
        if (json) terminal.printJson(granted);
        else
          terminal.print(
            `let through: ${exceptionLine(granted)}, log index ${granted.receipt.index}`,
            "good",
          );
        return EXIT.ok;
      }),
    );
}

function list(): Command {
  return new Command("ls")
    .alias("list")
    .description("show what is let through")
    .action(
      action(async ({ client, terminal, json }) => {
        const exceptions = await client().listExceptions();
        if (json) terminal.printJson({ exceptions });
        else {
          printTable(
            terminal,
            ["ID", "ARTIFACT", "THROUGH", "UNTIL", "OWNER", "REASON"],
            exceptions.map(({ id, artifact, policy, expiresAt, owner, reason }) => [
              id,
              artifact,
              policy,
              time(expiresAt),
              owner,
              reason,
            ]),
            { empty: "Nothing is let through." },
          );
        }
        return EXIT.ok;
      }),
    );
}

function withdraw(): Command {
  return new Command("withdraw")
    .description("end an exception: the policy decides again")
    .argument("<digest|file>", "algorithm:hex, or a file")
    .argument("<id>", "as shown by exception ls")
    .requiredOption("--reason <text>", "why; it stands in the log")
    .action(
      action(async ({ client, terminal, json }, artifact: string, id: string, { reason }: GrantOptions) => {
        const withdrawn = await client().withdrawException(await knownDigest(client(), artifact), id, reason);
        if (json) terminal.printJson(withdrawn);
        else terminal.print(`withdrew ${withdrawn.id}: log index ${withdrawn.receipt.index}`, "good");
        return EXIT.ok;
      }),
    );
}

/** An exception in one line. */
export function exceptionLine({ id, artifact, policy, owner, reason, expiresAt }: Exception): string {
  return `${id} ${artifact} through ${policy} until ${time(expiresAt)}, for which ${owner} answers: ${reason}`;
}

/** In milliseconds. The server says which are too long. */
function durationOf(text: string): number {
  const milliseconds = durationIn(text, /^([1-9][0-9]{0,3})([mh])$/);
  if (milliseconds !== undefined) return milliseconds;
  throw new UsageError(`--for takes a duration such as 30m or 4h and not ${text}`);
}
