import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { totalmem } from "node:os";
import type { Config } from "../../config/config.ts";
import { bad, type Finding, ok, warning } from "./finding.ts";

const MIB = 1024 * 1024;
/** A node with its caches full; with the embedded database in its process (docs/sizing.md). */
const NEEDED = { postgres: 1024 * MIB, embedded: 1536 * MIB };
/** As package.json has it. */
const OLDEST_NODE = 24;

export async function lookAtMachine(config: Config): Promise<readonly Finding[]> {
  return [nodeVersion(process.versions.node), await memory(config)];
}

export function nodeVersion(version: string): Finding {
  if (Number(version.split(".")[0]) >= OLDEST_NODE) return ok("node", `Node ${version}`);
  return bad("node", `Node ${version} is too old`, `Use Node ${OLDEST_NODE} or newer.`);
}

async function memory({ databaseUrl }: Config): Promise<Finding> {
  // cgroup v2, as containers have it; "max" where there is no limit.
  const limit = Number(await readFile("/sys/fs/cgroup/memory.max", "utf8").catch(() => "max"));
  return enoughMemory(
    Math.min(Number.isFinite(limit) ? limit : totalmem(), totalmem()),
    databaseUrl !== undefined,
  );
}

export function enoughMemory(bytes: number, hasPostgres: boolean): Finding {
  const needed = hasPostgres ? NEEDED.postgres : NEEDED.embedded;
  const have = `${Math.floor(bytes / MIB)} MiB of memory`;
  if (bytes >= needed) return ok("memory", have);
  const why = hasPostgres ? "a node's caches" : "the embedded database and a node's caches";
  return warning("memory", `${have} may be too little for ${why}`, `Give it ${needed / MIB} MiB.`);
}

/** Whether the ports can be had that a server is to listen on. @param isServed whether it is our server that has them */
export async function lookAtPorts(config: Config, isServed: boolean): Promise<readonly Finding[]> {
  const { host, port, bundleEndpointPort, mtlsPort, metricsPort } = config;
  const ports = [port, bundleEndpointPort, mtlsPort, metricsPort].filter((one) => one !== undefined);
  return Promise.all(
    ports.map(async (one) => {
      const problem = await listenProblem(host, one);
      if (problem === undefined) return ok("port", `${host}:${one} is free to listen on`);
      if (problem === "EADDRINUSE" && isServed)
        return ok("port", `${host}:${one} is listened on, as a server answers`);
      return bad(
        "port",
        `${host}:${one} cannot be listened on: ${problem}`,
        "Stop what has it, or set HOST and PORT.",
      );
    }),
  );
}

function listenProblem(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)));
  });
}
