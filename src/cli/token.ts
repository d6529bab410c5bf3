import { Command, Option } from "commander";
import type { Role } from "../client/types.ts";
import { durationIn } from "./arguments/duration.ts";
import { EXIT } from "./exit-codes.ts";
import { printTable } from "./output/table.ts";
import { time } from "./output/time.ts";
import { action } from "./session.ts";
import { UsageError } from "./usage-error.ts";

const ROLES = [
  "uploader",
  "issuer",
  "auditor",
  "approver",
  "operator",
  "agent",
] as const satisfies readonly Role[];

interface CreateOptions {
  readonly name: string;
  readonly role: Role[];
  readonly policy?: string[];
  readonly mayChoosePolicy?: boolean;
  readonly expiresIn?: string;
}

export function tokenCommand(): Command {
  return new Command("token")
    .description("make, list and revoke bearer tokens")
    .addCommand(create())
    .addCommand(list())
    .addCommand(revoke());
}

function create(): Command {
  return new Command("create")
    .description("make a token; its text is printed this once and kept nowhere")
    .requiredOption(
      "--name <name>",
      "what it is for; with the role agent, the name of the node that it joins",
    )
    .addOption(new Option("--role <role...>", "what it may do").choices(ROLES).makeOptionMandatory())
    .option(
      "--policy <name...>",
      "policies that an artifact must pass, all of them, when this token asks about it",
    )
    .option("--may-choose-policy", "its holder may name the policy to decide by")
    .option("--expires-in <time>", "such as 12h or 90d; 30d if left out")
    .action(
      action(async ({ client, terminal, json }, options: CreateOptions) => {
        const { name, role, policy, mayChoosePolicy, expiresIn } = options;
        const created = await client().createToken({
          name,
          roles: role,
          ...(policy === undefined ? {} : { policies: policy }),
          ...(mayChoosePolicy === undefined ? {} : { mayChoosePolicy }),
          ...(expiresIn === undefined ? {} : { expiresIn: seconds(expiresIn) }),
        });
        if (json) terminal.printJson(created);
        else {
          // The secret alone on stdout, so that TOKEN=$(vouchsafe token create …) works.
          terminal.print(created.token);
          terminal.note(`token ${created.id} (${role.join(", ")}) expires ${time(created.expiresAt)}`);
          if (role.includes("agent")) {
            terminal.note(`  joins the node ${name}, once: vouchsafe agent --join-token-file FILE`);
          }
        }
        return EXIT.ok;
      }),
    );
}

function list(): Command {
  return new Command("ls")
    .alias("list")
    .description("show the project's tokens, without their secrets")
    .action(
      action(async ({ client, terminal, json }) => {
        const tokens = await client().listTokens();
        if (json) terminal.printJson({ tokens });
        else {
          printTable(
            terminal,
            ["ID", "NAME", "ROLES", "DECIDES BY", "STATE"],
            tokens.map(({ id, name, roles, policies, mayChoosePolicy, expiresAt, revokedAt }) => [
              id,
              name,
              roles.join(", "),
              mayChoosePolicy ? "any policy" : policies.join(", ") || "no policy",
              revokedAt ? `revoked ${time(revokedAt)}` : `until ${time(expiresAt)}`,
            ]),
          );
        }
        return EXIT.ok;
      }),
    );
}

function revoke(): Command {
  return new Command("revoke")
    .description("end a token now")
    .argument("<id>", "as shown by token ls")
    .action(
      action(async ({ client, terminal, json }, id: string) => {
        if (!/^[0-9a-f]{16}$/.test(id)) {
          throw new UsageError(
            `A token goes by its id, 16 digits as \`vouchsafe token ls\` shows it, and not by ${id}`,
          );
        }
        await client().revokeToken(id);
        if (json) terminal.printJson({ revoked: id });
        else terminal.print(`revoked ${id}`, "good");
        return EXIT.ok;
      }),
    );
}

function seconds(time: string): number {
  const milliseconds = durationIn(time, /^([1-9][0-9]{0,8})([smhd])$/);
  if (milliseconds === undefined)
    throw new UsageError(`--expires-in takes a number with s, m, h or d, such as 90d, and not ${time}`);
  return milliseconds / 1000;
}
