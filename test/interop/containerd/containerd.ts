import { execFile, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { endChild, endWithParent } from "../../support/child.ts";
import { until } from "../../workload/agent-house.ts";

const run = promisify(execFile);
/** What it takes, and Debian's packages of it. */
export const CONTAINERD = {
  programs: ["containerd", "containerd-shim-runc-v2", "ctr", "runc"],
  packages: ["containerd", "runc"],
} as const;

export interface RunningContainerd {
  readonly socket: string;
  ctr(...args: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

/** One of its own, beside any that the host may have. */
export async function startContainerd(
  directory: string,
  path: string,
  sandboxImage: string,
): Promise<RunningContainerd> {
  const socket = join(directory, "containerd.sock");
  const config = [
    "version = 2",
    `root = "${join(directory, "root")}"`,
    `state = "${join(directory, "state")}"`,
    "[grpc]",
    `address = "${socket}"`,
    '[plugins."io.containerd.grpc.v1.cri"]',
    // Where this host's root may not make a process the last to be killed.
    "restrict_oom_score_adj = true",
    `sandbox_image = "${sandboxImage}"`,
    '[plugins."io.containerd.grpc.v1.cri".containerd]',
    // One that works on every file system.
    'snapshotter = "native"',
  ];
  await writeFile(join(directory, "containerd.toml"), config.join("\n"));
  const env = { ...process.env, PATH: path };
  const child = spawn("containerd", ["--config", join(directory, "containerd.toml")], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  endWithParent(child);
  let journal = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    journal += text;
  });
  await until(() => journal.includes("containerd successfully booted"));
  return {
    socket,
    async ctr(...args) {
      return (await run("ctr", ["--address", socket, ...args], { env })).stdout;
    },
    stop: () => endChild(child),
  };
}
