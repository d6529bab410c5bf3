import { accessSync, constants, existsSync, globSync, readFileSync } from "node:fs";
import { mkdir, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../agent-house.ts";

/** Where the unified hierarchy is mounted, alone or beside those of version 1. */
const UNIFIED = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((path) =>
  existsSync(join(path, "cgroup.procs")),
);

/** A reason to skip what needs cgroups of its own, at the places where runtimes make them. */
export function cannotMakeCgroups(): string | false {
  if (UNIFIED === undefined) return "there is no unified cgroup hierarchy here";
  // A process in a cgroup namespace sees other paths than the ones it makes.
  if (readFileSync("/proc/self/cgroup", "utf8").includes("/..")) return "this is a cgroup namespace";
  try {
    accessSync(join(UNIFIED, "cgroup.procs"), constants.W_OK);
    return false;
  } catch {
    return "cgroups cannot be made here: it takes root, and a hierarchy that is not read-only";
  }
}

export interface TestCgroup {
  /** As `/proc/PID/cgroup` says it. */
  readonly path: string;
  /** The file to which a process writes its pid that joins it. */
  readonly procs: string;
  add(pid: number | undefined): Promise<void>;
  /** Once no process is left in it. */
  remove(): Promise<void>;
}

/** @param path from the hierarchy's root, e.g. `/docker/ID`; what of it was there stays */
export async function makeCgroup(path: string): Promise<TestCgroup> {
  const made: string[] = [];
  let directory = UNIFIED ?? "";
  for (const segment of path.slice(1).split("/")) {
    directory = join(directory, segment);
    if (existsSync(directory)) continue;
    await mkdir(directory);
    made.unshift(directory);
  }
  return {
    path,
    procs: join(directory, "cgroup.procs"),
    async add(pid) {
      if (pid === undefined) throw new Error("the process did not start");
      await writeFile(join(directory, "cgroup.procs"), String(pid));
      await until(() => readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(path));
    },
    async remove() {
      for (const made_ of made) {
        for (let tries = 0; ; tries += 1) {
          const failed = await rmdir(made_).then(
            () => undefined,
            (error) => error,
          );
          // The kernel lets go of ended processes a little later; another test may use the same parent.
          if (failed === undefined || failed.code === "ENOTEMPTY" || tries === 100) break;
          await sleep(20);
        }
      }
    },
  };
}

/** Removes what runtimes leave of a path, in every hierarchy: its groups are empty by then, and stay where they are not. */
export async function removeCgroups(path: string): Promise<void> {
  for (const mount of globSync(["/sys/fs/cgroup", "/sys/fs/cgroup/*"])) {
    for (let group = path; group !== "/"; group = dirname(group)) {
      await rmdir(join(mount, group)).catch(() => {});
    }
  }
}
