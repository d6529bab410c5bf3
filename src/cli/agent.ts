import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { ApiError } from "../client/api-error.ts";
import type { Agent, AgentLogEntry } from "../workload/agent.ts";
import type { JoinBy, ServerSourceLogEntry } from "../workload/server-source.ts";
import { type AttestorCommandOptions, addAttestorOptions, attestorsOf } from "./agent-attestors.ts";
import { EXIT } from "./exit-codes.ts";
import type { Terminal } from "./output/terminal.ts";
import { action } from "./session.ts";
import { UsageError } from "./usage-error.ts";

interface AgentCommandOptions extends AttestorCommandOptions {
  readonly socket: string;
  readonly dataDir: string;
  readonly joinTokenFile?: string;
  readonly k8sTokenFile?: string;
  readonly svidFile?: string;
  readonly trustDomain?: string;
  readonly allowMissingPidfd?: boolean;
}

export function agentCommand(): Command {
  const command = new Command("agent")
    .description("serve the SPIFFE Workload API to this host's processes, until SIGTERM")
    .option("--socket <path>", "where workloads find it", "/run/vouchsafe/agent.sock")
    .option("--data-dir <path>", "where the agent's own credential is kept", "/var/lib/vouchsafe-agent")
    .option("--join-token-file <path>", "a token with the role agent: needed once, and used up by joining")
    .option("--k8s-token-file <path>", "join by the service-account token that Kubernetes projects there")
    .option("--svid-file <path>", "join by an X.509-SVID: its P-256 key and its certificates, in PEM")
    .option("--trust-domain <name>", "the server's, with --svid-file")
    .option("--allow-missing-pidfd", "serve on Linux before 6.5 too, with weaker attestation");
  return addAttestorOptions(command)
    .action(
      action(async ({ terminal, json, server, project }, options: AgentCommandOptions) => {
        const { socket, dataDir, allowMissingPidfd = false } = options;
        const log = logTo(terminal, json);
        // Loaded here alone: every other command would wait for what these bring along.
        const { openServerSource } = await import("../workload/server-source.ts");
        const { openAgent } = await import("../workload/agent.ts");
        const attestors = await attestorsOf(options);
        const ending = new AbortController();
        const { signal } = ending;
        for (const name of ["SIGTERM", "SIGINT"]) process.once(name, () => ending.abort());
        const source = await openServerSource({
          server: server(),
          ...(project !== undefined && { project }),
          dataDir,
          joinBy: () => readJoinBy(options),
          signal,
          log,
        }).catch((error) => {
          if (!signal.aborted) throw joinTokenUsed(error, options) ?? error;
        });
        if (source === undefined) return EXIT.ok;
        let agent: Agent | undefined;
        // Closed also when the socket cannot be served: it renews the agent's credential, and would go on for ever.
        try {
          agent = await openAgent({ socketPath: socket, source, attestors, allowMissingPidfd, log });
          if (json) terminal.printJson({ agent: source.agent, socket });
          else terminal.print(`${source.agent} serves the Workload API on unix:${socket}`);
          if (!signal.aborted) await once(signal, "abort");
        } finally {
          // Together: what the agent still asks of a server that hangs would be waited for.
          await Promise.all([agent?.close(), source.close()]);
        }
        return EXIT.ok;
      }),
    )
    .addCommand(revoke());
}

function revoke(): Command {
  return new Command("revoke")
    .description("take back all certificates of an agent: it is given nothing more until it joins anew")
    .argument("<agent>", "its SPIFFE ID")
    .requiredOption("--reason <text>", "why; it stands in the log")
    .action(
      action(async ({ client, terminal, json }, agent: string, { reason }: { readonly reason: string }) => {
        const revoked = await client().revokeAgent(agent, reason);
        if (json) terminal.printJson(revoked);
        else terminal.print(`revoked ${agent}: log index ${revoked.receipt.index}`, "good");
        return EXIT.ok;
      }),
    );
}

/** What the agent joins by. Read anew each time: Kubernetes writes the next token in place of the one before. */
async function readJoinBy(options: AgentCommandOptions): Promise<JoinBy> {
  const { joinTokenFile, k8sTokenFile, svidFile, trustDomain } = options;
  if ([joinTokenFile, k8sTokenFile, svidFile].filter((one) => one !== undefined).length !== 1) {
    throw new UsageError(
      "This agent has not joined yet: name a join token's file with --join-token-file (`vouchsafe token create --role agent` makes one), a pod's with --k8s-token-file, or an SVID's with --svid-file; one of them",
    );
  }
  if (joinTokenFile !== undefined) {
    return { case: "join token", token: await readToken("--join-token-file", joinTokenFile) };
  }
  if (k8sTokenFile !== undefined) {
    return { case: "kubernetes", token: await readToken("--k8s-token-file", k8sTokenFile) };
  }
  if (trustDomain === undefined) throw new UsageError("--svid-file goes with --trust-domain");
  const { readCredential } = await import("../workload/agent-credential.ts");
  const credential = await readCredential(svidFile ?? "").catch(() => undefined);
  if (credential !== undefined) return { case: "svid", credential, trustDomain };
  throw new UsageError(`--svid-file names ${svidFile}, which is not an X.509-SVID and its P-256 key, in PEM`);
}

/** What is to be done about a token that joins nobody is not what is to be done about an operator's. */
function joinTokenUsed(error: unknown, { joinTokenFile }: AgentCommandOptions): UsageError | undefined {
  if (joinTokenFile === undefined || !(error instanceof ApiError) || error.code !== "unauthenticated") return;
  const message = `--join-token-file names ${joinTokenFile}, whose token the server does not take: it was used up by joining, has ended or is another server's. Make another: \`vouchsafe token create --role agent\``;
  return new UsageError(message, { cause: error });
}

async function readToken(option: string, path: string): Promise<string> {
  let token: string;
  try {
    token = (await readFile(path, "utf8")).trim();
  } catch {
    throw new UsageError(`${option} names ${path}, which cannot be read`);
  }
  if (token === "") throw new UsageError(`${option} names ${path}, which is empty: make a token anew`);
  return token;
}

/** One line for each thing that happens: the agent's own journal. */
function logTo(terminal: Terminal, json: boolean) {
  return (entry: AgentLogEntry | ServerSourceLogEntry) => {
    const { event, ...facts } = entry;
    const text = Object.entries(facts).map(([name, value]) => `${name}=${[value].flat().join(",")}`);
    terminal.note(
      json ? JSON.stringify({ ...entry, time: new Date().toISOString() }) : [event, ...text].join(" "),
    );
  };
}
