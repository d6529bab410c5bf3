import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { bareEnvironment } from "../cli/server.ts";
import { endChild, endWithParent } from "../support/child.ts";

/** A `vouchsafe agent` of its own process. */
export interface RunningAgent {
  /** Its SPIFFE ID. */
  readonly id: string;
  stop(): Promise<void>;
  /** As a crash would. */
  kill(): Promise<void>;
}

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** Starts it and waits until it serves; fails with what it wrote when it does not. */
export async function startAgent(server: string, args: readonly string[]): Promise<RunningAgent> {
  const child = spawn(process.execPath, [MAIN, "--json", "--server", server, "agent", ...args], {
    env: bareEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  endWithParent(child);
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const ended = once(child, "exit");
  const ready = once(child.stdout, "data");
  const first = await Promise.race([ready, ended.then(() => undefined)]);
  if (first === undefined) throw new Error(`the agent ended before it served:\n${errors}`);
  const { agent } = JSON.parse(String(first[0])) as { agent: string };

  return { id: agent, stop: () => endChild(child), kill: () => endChild(child, "SIGKILL") };
}
