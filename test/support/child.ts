import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** Ends a child with this process, whatever ends that. */
export function endWithParent(child: ChildProcess): void {
  const abandon = () => child.kill("SIGTERM");
  process.once("exit", abandon);
  child.once("exit", () => process.off("exit", abandon));
}

/** Ends a child unless it has ended, and waits until it is gone. */
export async function endChild(
  child: ChildProcess,
  signal: "SIGTERM" | "SIGKILL" = "SIGTERM",
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}
