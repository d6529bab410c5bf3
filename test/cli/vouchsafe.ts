import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { endChild, endWithParent } from "../support/child.ts";
import { bareEnvironment } from "./server.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** How a command ended and what it wrote. */
export interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Run {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Where its output goes: a descriptor, or a pipe whose reader leaves before anything is written, or after the first of it. */
  readonly stdout?: number | "unread" | "left";
}

/** Runs `vouchsafe ARGUMENTS…` as a shell would, with no settings but those given. */
export function vouchsafe(args: readonly string[], { cwd, env = {}, stdout: output }: Run): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd,
      env: { ...bareEnvironment(), ...env },
      stdio: ["ignore", typeof output === "number" ? output : "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    // A pipe ends its chunks anywhere, also in the middle of a character.
    child.stdout?.setEncoding("utf8");
    child.stderr?.setEncoding("utf8");
    if (output === "unread") child.stdout?.destroy();
    child.stdout?.on("data", (chunk) => {
      stdout += chunk;
      if (output === "left") child.stdout?.destroy();
    });
    child.stderr?.on("data", (chunk) => {
      stderr += chunk;
    });
    child.once("error", reject);
    child.once("close", (status) => resolve({ status: status ?? -1, stdout, stderr }));
  });
}

export function assertEnded(
  ended: Ended,
  status: number,
  stream: "stdout" | "stderr",
  expected: RegExp,
): void {
  assert.equal(ended.status, status, `${ended.stdout}${ended.stderr}`);
  assert.match(ended[stream], expected);
}

/** A command that goes on until it is stopped. */
export interface RunningCommand {
  /** The line that said that it is ready. */
  readonly said: string;
  stop(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

/** Starts `vouchsafe ARGUMENTS…` and waits for a line on stdout that says that it is ready. */
export function startVouchsafe(
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>>; readonly ready: RegExp },
): Promise<RunningCommand> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: options.cwd,
      env: { ...bareEnvironment(), ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    endWithParent(child);
    let errors = "";
    child.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    createInterface({ input: child.stdout }).on("line", (said) => {
      if (!options.ready.test(said)) return;
      resolve({ said, stop: () => endChild(child), kill: () => endChild(child, "SIGKILL") });
    });
    child.once("error", reject);
    child.once("close", (status) =>
      reject(new Error(`it ended with ${status} before it was ready:\n${errors}`)),
    );
  });
}
