import { execFile, spawnSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A PATH on which the programs are: this host's own, or those of Debian's packages, unpacked and not installed. */
export async function pathOf(
  programs: readonly string[],
  packages: readonly string[],
  directory: string,
): Promise<string | undefined> {
  const path = process.env.PATH ?? "";
  if (programs.every((program) => spawnSync("which", [program]).status === 0)) return path;
  const root = join(directory, "packages");
  await mkdir(root);
  try {
    await run("apt-get", ["download", ...packages], { cwd: root });
    await run("sh", ["-c", 'for package in *.deb; do dpkg -x "$package" .; done'], { cwd: root });
  } catch {
    return undefined;
  }
  return [join(root, "usr/bin"), join(root, "usr/sbin"), path].join(delimiter);
}

/** Go programs for containers, linked with nothing: the first process of one, and a client of go-spiffe's. */
export async function buildPrograms(directory: string): Promise<void> {
  const build = (output: string, what: string, cwd: string) =>
    run("nice", ["-n", "19", "go", "build", "-o", join(directory, output), what], {
      cwd: new URL(cwd, import.meta.url),
      env: { ...process.env, CGO_ENABLED: "0" },
    });
  await build("pause", "pause.go", ".");
  await build("client", ".", "../../workload/go");
}
