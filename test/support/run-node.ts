import { spawnSync } from "node:child_process";

/** Runs node to its end, as from a shell: what it tests is its own, and no part of the tests that call it. */
export function runNode(...args: readonly string[]): { code: number | null; stdout: string; stderr: string } {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
  return { code: status, stdout, stderr };
}
