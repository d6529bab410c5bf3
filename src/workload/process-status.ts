import { readFile } from "node:fs/promises";
import { denied } from "./denied.ts";

/** What `/proc` says of a process. */
export interface ProcessStatus {
  /** Effective, as the kernel checks them. */
  readonly uid: number;
  readonly gid: number;
  readonly supplementaryGids: readonly number[];
  /** `/path` in the unified hierarchy, `controllers:/path` in one of version 1. */
  readonly cgroups: readonly string[];
  /** Clock ticks since boot; with the pid it tells a process from a later one. */
  readonly startTime: string;
}

/** Throws `VouchsafeError` (`identity-denied`) when the process is gone or may not be looked at. */
export async function readProcessStatus(pid: number): Promise<ProcessStatus> {
  const [status, stat, cgroup] = await Promise.all(
    ["status", "stat", "cgroup"].map((name) => readFile(`/proc/${pid}/${name}`, "utf8")),
  ).catch((cause) => {
    throw denied("process-gone", "The process has ended or may not be looked at", cause);
  });
  return {
    uid: effectiveId(status ?? "", "Uid"),
    gid: effectiveId(status ?? "", "Gid"),
    supplementaryGids: numbersOf(status ?? "", "Groups"),
    cgroups: parseCgroups(cgroup ?? ""),
    startTime: parseStartTime(stat ?? ""),
  };
}

/** proc_pid_stat(5): field 22. The second field is the program's name in brackets and may hold anything. */
export function parseStartTime(stat: string): string {
  const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  if (startTime === undefined) throw denied("process-unreadable", "The process's start time is missing");
  return startTime;
}

/** cgroups(7): lines `hierarchy:controllers:/path`; the unified hierarchy has the number 0 and no controllers. */
export function parseCgroups(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) return [];
    return [controllers === "" ? path : `${controllers}:${path}`];
  });
}

/** proc_pid_status(5): real, effective, saved and file-system ID. */
function effectiveId(status: string, name: "Uid" | "Gid"): number {
  const id = numbersOf(status, name)[1];
  if (id === undefined) throw denied("process-unreadable", `The process's ${name} is missing`);
  return id;
}

function numbersOf(status: string, name: string): number[] {
  const line = new RegExp(`^${name}:(.*)$`, "m").exec(status)?.[1] ?? "";
  return line.split(/\s+/).filter(Boolean).map(Number);
}
