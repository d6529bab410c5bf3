import { Command } from "commander";
import type { Client } from "../client/client.ts";
import type { TokenCreated } from "../client/types.ts";
import { EXIT } from "./exit-codes.ts";
import type { Terminal } from "./output/terminal.ts";
import { time } from "./output/time.ts";
import { action } from "./session.ts";

export function projectCommand(): Command {
  return new Command("project")
    .description("make, list and suspend the installation's projects")
    .addCommand(create())
    .addCommand(list())
    .addCommand(operatorToken())
    .addCommand(suspend())
    .addCommand(resume());
}

function create(): Command {
  return new Command("create")
    .description("make a project; its first operator's token is printed this once and kept nowhere")
    .argument("<name>", "a-z, 0-9 and dashes; SPIFFE IDs have it in them, and it stays")
    .action(
      action(async ({ client, terminal, json }, name: string) => {
        const created = await client().createProject(name);
        if (json) terminal.printJson(created);
        else {
          printToken(terminal, created.token);
          terminal.note(`project ${name}: log index ${created.receipt.index}`);
        }
        return EXIT.ok;
      }),
    );
}

function list(): Command {
  return new Command("ls").description("show the projects, by name").action(
    action(async ({ client, terminal, json }) => {
      const projects = [];
      for (let after: string | null | undefined; after !== null; ) {
        const page = await client().listProjects({ limit: 200, ...(after !== undefined && { after }) });
        projects.push(...page.projects);
        after = page.next;
      }
      if (json) terminal.printJson({ projects });
      else
        for (const { name, project, createdAt, suspension } of projects) {
          const stopped =
            suspension === null ? "" : `, suspended at #${suspension.index}: ${suspension.reason}`;
          terminal.print(`${name} since ${createdAt} (${project})${stopped}`);
        }
      return EXIT.ok;
    }),
  );
}

function operatorToken(): Command {
  return new Command("operator-token")
    .description("make another token for a project's operators, who have none that is valid")
    .argument("<name>", "the project's")
    .action(
      action(async ({ client, terminal, json }, name: string) => {
        const created = await client().createOperatorToken(name);
        if (json) terminal.printJson(created);
        else printToken(terminal, created);
        return EXIT.ok;
      }),
    );
}

function suspend(): Command {
  const command = new Command("suspend").description(
    "refuse a project's credentials, deny all of it and take its identities back",
  );
  return change(command, "suspended", (client) => client.suspendProject);
}

function resume(): Command {
  const command = new Command("resume").description("let a project that is suspended go on where it was");
  return change(command, "resumed", (client) => client.resumeProject);
}

function change(command: Command, done: string, callOf: (client: Client) => Client["suspendProject"]) {
  return command
    .argument("<name>", "the project's")
    .requiredOption("--reason <text>", "why; it stands in the project's log")
    .action(
      action(async ({ client, terminal, json }, name: string, { reason }: { readonly reason: string }) => {
        const changed = await callOf(client())(name, reason);
        if (json) terminal.printJson(changed);
        else terminal.print(`project ${name} ${done} (log index ${changed.receipt.index})`);
        return EXIT.ok;
      }),
    );
}

/** The secret alone on stdout, so that TOKEN=$(vouchsafe project create …) works. */
function printToken(terminal: Terminal, { id, token, expiresAt }: TokenCreated): void {
  terminal.print(token);
  terminal.note(`token ${id} (operator) expires ${time(expiresAt)}`);
}
