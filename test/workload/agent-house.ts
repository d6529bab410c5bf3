import { readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient } from "../../src/client/client.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";
import { type RunningServer, startServer } from "../cli/server.ts";
import { envelopeKey, signStatement, testResult } from "../services/signed-envelope.ts";
import { buildExecutable, type Executable } from "./executable.ts";
import { type RunningAgent, startAgent } from "./run-agent.ts";

/** A server and its agents as processes of their own, and a program that was released. */
export interface AgentHouse {
  readonly widget: Executable;
  readonly operator: Client;
  readonly server: RunningServer;
  /** Ends the server as a crash would, and starts it again where it was. */
  killServer(): Promise<void>;
  path(name: string): string;
  /** Releases what has this digest. */
  release(digest: Digest): Promise<void>;
  /** Lets an agent of this name join and serve on `NAME.sock`, with more options where they are given. */
  join(name: string, ...options: string[]): Promise<RunningAgent>;
  /** Starts an agent that has joined before, by another way to the server where one is given. */
  start(name: string, url?: string, ...options: string[]): Promise<RunningAgent>;
  close(): Promise<void>;
}

const RELEASE = `
apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: release }
spec:
  artifacts: { names: [widget] }
  signers: [{ key: builder }]
`;

/** Any program of this user that was released, by the agent `node-1`. */
export const WIDGETS = `
apiVersion: vouchsafe.dev/v1
kind: WorkloadPolicy
metadata: { name: widget }
spec:
  selectors: ["unix:uid:${process.getuid?.()}"]
  spiffeId: /widget/{digest}
  policies: [release]
  requesters: { agents: ["spiffe://vouchsafe.local/vouchsafe/agent/node-1"] }
`;

/**
 * @param workloads WorkloadPolicies, whose VerificationPolicy is `release`; `{house}` in them is the house's directory
 * @param settings of the server, besides its own
 */
export async function openAgentHouse(
  workloads: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<AgentHouse> {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-agents-"));
  await chmod(directory, 0o755);
  const path = (name: string) => join(directory, name);
  const key = envelopeKey();
  await mkdir(path("policies"));
  await writeFile(
    path("policies/policies.yaml"),
    `${RELEASE}---${workloads.replaceAll("{house}", directory)}`,
  );
  await writeFile(path("builder.pem"), key.pem);
  const serve = (port: string) =>
    startServer({
      VOUCHSAFE_DATA_DIR: path("server"),
      VOUCHSAFE_POLICIES: path("policies"),
      VOUCHSAFE_KEYS: path("builder.pem"),
      PORT: port,
      ...settings,
    });
  const [widget, first] = await Promise.all([buildExecutable(directory), serve("0")]);
  let server = first;
  const token = readFileSync(path("server/operator-token"), "utf8").trim();
  const operator = createClient({ server: server.url, token });
  const agents: RunningAgent[] = [];

  async function start(name: string, url = server.url, ...more: string[]): Promise<RunningAgent> {
    const args = ["--socket", path(`${name}.sock`), "--data-dir", path(name), ...more];
    const agent = await startAgent(url, args);
    agents.push(agent);
    return agent;
  }
  async function release(digest: Digest): Promise<void> {
    await operator.pushAttestation(signStatement(testResult(digest), key.privateKey));
  }
  await release(widget.digest);

  return {
    widget,
    operator,
    server: first,
    async killServer() {
      await server.kill();
      server = await serve(new URL(first.url).port);
    },
    path,
    release,
    async join(name, ...options) {
      const { token } = await operator.createToken({ name, roles: ["agent"] });
      await writeFile(path(`${name}-token`), token, { mode: 0o600 });
      return start(name, server.url, "--join-token-file", path(`${name}-token`), ...options);
    },
    start,
    async close() {
      for (const agent of agents) await agent.stop();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Waits until it holds, for half a minute. */
export async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries += 1) {
    if (tries === 1500) throw new Error(`within half a minute it did not come to pass that ${holds}`);
    await sleep(20);
  }
}
