import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { admissionCommand } from "./admission.ts";
import { agentCommand } from "./agent.ts";
import { approveCommand } from "./approve.ts";
import { artifactCommand } from "./artifact.ts";
import { authorityCommand } from "./authority.ts";
import { completionCommand } from "./completion.ts";
import { configCommand } from "./config.ts";
import { custodyCommand } from "./custody.ts";
import { discoverCommand } from "./discover.ts";
import { doctorCommand } from "./doctor.ts";
import { exceptionCommand } from "./exception.ts";
import { EXIT_STATUS, exitCodesPage } from "./exit-status.ts";
import { federationCommand } from "./federation.ts";
import { teach } from "./guide/teach.ts";
import { identitiesCommand } from "./identities.ts";
import { inventoryCommand } from "./inventory.ts";
import { logCommand } from "./log.ts";
import { migrateCommand } from "./migrate.ts";
import { policyCommand } from "./policy.ts";
import { projectCommand } from "./project.ts";
import { pushCommand } from "./push.ts";
import { quarantineCommand } from "./quarantine.ts";
import { retentionCommand } from "./retention.ts";
import { revocationCommand } from "./revocation.ts";
import { revokeCommand } from "./revoke.ts";
import { DEFAULT_SERVER } from "./session.ts";
import { spirePluginCommand } from "./spire-plugin.ts";
import { svidCommand } from "./svid.ts";
import { tokenCommand } from "./token.ts";
import { trustCommand } from "./trust.ts";
import { UsageError } from "./usage-error.ts";
import { verifyCommand } from "./verify.ts";
import { verifyDigestCommand } from "./verify-digest.ts";
import { vsaCommand } from "./vsa.ts";
import { whoAmICommand } from "./whoami.ts";
import { witnessCommand } from "./witness.ts";

const EPILOGUE = `
Environment:
  VOUCHSAFE_SERVER      the server's URL, as --server
  VOUCHSAFE_TOKEN       bearer token; or VOUCHSAFE_TOKEN_FILE, a file that holds it. For a server on this
                        machine, the operator token in VOUCHSAFE_DATA_DIR (.vouchsafe) is found by itself. In a
                        CI job its OIDC token: of GitHub Actions, or in VOUCHSAFE_ID_TOKEN. Elsewhere a
                        JWT-SVID of the Workload API at SPIFFE_ENDPOINT_SOCKET.
  VOUCHSAFE_AUDIENCE    whom OIDC tokens must be for, where that is not the server's URL
  VOUCHSAFE_PROJECT     the project that is meant, as --project
  TRACEPARENT           the trace that calls of the server are a part of (W3C Trace Context)
  NO_COLOR              no colours

${EXIT_STATUS}

vouchsafe help COMMAND says who may run it, and how. docs/cli.md has all of them on one page.`;

/** The whole command line. Errors in it are thrown as commander's, for `main` to report. */
export function createProgram(): Command {
  const program = new Command("vouchsafe")
    .version(version())
    .description("push evidence, ask for decisions, and verify chains of custody")
    .addOption(
      new Option("--server <url>", "the server to talk to").env("VOUCHSAFE_SERVER").default(DEFAULT_SERVER),
    )
    .addOption(
      new Option(
        "--project <name>",
        "the project that is meant, where the credential is not of one alone",
      ).env("VOUCHSAFE_PROJECT"),
    )
    .option("--json", "one JSON value as the result, for programs")
    .addHelpText("after", EPILOGUE)
    .commandsGroup("Help and the shell:");
  program.addHelpCommand(
    program
      .createCommand("help")
      .argument("[command]")
      .description("say how a command is called, or what exit codes mean: `help exit-codes`")
      .helpOption(false)
      .helpGroup("Help and the shell:"),
  );
  for (const command of [
    pushCommand(),
    discoverCommand(),
    verifyCommand(),
    verifyDigestCommand(),
    artifactCommand(),
    custodyCommand(),
    policyCommand(),
    trustCommand(),
    approveCommand(),
    exceptionCommand(),
    quarantineCommand(),
    revokeCommand(),
    revocationCommand(),
    retentionCommand(),
    identitiesCommand(),
    inventoryCommand(),
    svidCommand(),
    federationCommand(),
    tokenCommand(),
    projectCommand(),
    whoAmICommand(),
    logCommand(),
    vsaCommand(),
    authorityCommand(),
    agentCommand(),
    spirePluginCommand(),
    admissionCommand(),
    witnessCommand(),
    configCommand(),
    doctorCommand(),
    migrateCommand(),
    completionCommand(program),
  ]) {
    program.addCommand(command);
  }
  program.addCommand(exitCodesPage(), { hidden: true });
  teach(program);
  program.hook("preAction", (_, command) => refuseEmpty(command));
  return throwing(program);
}

/** What is empty is most often a variable that a script never set: no name, file or pattern is. */
function refuseEmpty(called: Command): void {
  if (called.args.includes("")) throw new UsageError("An argument is empty");
  for (let command: Command | null = called; command !== null; command = command.parent) {
    for (const option of command.options) {
      const name = option.attributeName();
      const isGiven = command.getOptionValueSource(name) === "cli";
      if (isGiven && [command.getOptionValue(name)].flat().includes(""))
        throw new UsageError(`${option.long} is given, and empty`);
    }
  }
}

function version(): string {
  // The same way up from src/ and from dist/.
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Commander tells what is wrong and ends the process by itself unless each command is told not to. */
function throwing(command: Command): Command {
  command.exitOverride().configureOutput({ outputError: () => {} });
  for (const child of command.commands) throwing(child);
  return command;
}
