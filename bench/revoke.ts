import { writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createClient } from "../src/client/client.ts";
import { buildExecutable } from "../test/workload/executable.ts";
import { type RunningAgent, startAgent } from "../test/workload/run-agent.ts";
import { startProgram, type Workload } from "../test/workload/run-workload.ts";
import { type BenchResult, median } from "./measure.ts";
import { openRevokeHouse, type RevokeHouse } from "./revoke-house.ts";

const HOLDER = fileURLToPath(new URL("hold-streams.cjs", import.meta.url));
/** Streams of each node's agent. They are of one program, and so of one grant: an agent asks once for all of them. */
const STREAMS = 64;
const ROUNDS = 15;
/** gRPC's PERMISSION_DENIED. */
const DENIED = 7;
/** How long a denial is waited for, in milliseconds. */
const PATIENCE = 30_000;

/**
 * How long it takes from the call that quarantines a digest on one of three nodes until the two others deny it, and until every stream
 * of the three nodes' agents has ended with the denial: servers, agents and workloads are processes of their own, on one Postgres.
 */
export async function revoke(): Promise<BenchResult> {
  const house = await openRevokeHouse(3);
  const agents: RunningAgent[] = [];
  const holders: Holder[] = [];
  try {
    const widget = await buildExecutable(house.path("."));
    await house.release(widget.digest);
    for (const [i, { url }] of house.servers.entries()) {
      agents.push(await join(house, `node-${i}`, url));
      holders.push(holdStreams(widget.path, house.path(`node-${i}.sock`)));
    }
    const issuer = await house.operator.createToken({
      name: "pep",
      roles: ["issuer"],
      policies: ["release"],
    });
    const others = house.servers
      .slice(1)
      .map(({ url }) => createClient({ server: url, token: issuer.token }));

    const [answered, decisions, streams]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all(holders.map((holder) => holder.live()));
      // Not always at the same moment of what nodes and agents do every so often.
      await sleep(500 + 1_000 * Math.random());
      const start = now();
      const denied = others.map(async (client) => {
        while ((await client.verifyDigest(widget.digest)).decision === "allow") await sleep(1);
        return now() - start;
      });
      const { id } = await house.operator.openQuarantine(widget.digest, "bench");
      answered.push(now() - start);
      decisions.push(...(await Promise.all(denied)));
      const ends = await Promise.all(holders.map((holder) => holder.ended()));
      streams.push(...ends.flat().map((end) => end - start));
      await house.operator.liftQuarantine(id, "bench");
      for (const holder of holders) holder.again();
    }
    const rows = [
      { name: "quarantine answered, p50", median: median(answered), unit: "ms" },
      { name: "denied on another node, p50", median: median(decisions), unit: "ms" },
      { name: "denied on another node, p99", median: percentile(decisions, 99), unit: "ms" },
      { name: "stream ended, p50", median: median(streams), unit: "ms" },
      { name: "stream ended, p99", median: percentile(streams, 99), unit: "ms" },
      { name: "streams ended", median: streams.length, unit: `of ${holders.length} agents, one grant each` },
    ];
    return {
      bench: "revoke",
      rows,
      ratios: {
        "nodes-under-a-second": 1_000 / percentile(decisions, 99),
        "streams-under-a-second": 1_000 / percentile(streams, 99),
      },
    };
  } finally {
    for (const { workload } of holders) await workload.stop();
    for (const agent of agents) await agent.stop();
    await house.close();
  }
}

/** A clock that all processes of the machine share, in milliseconds. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? Number.NaN;
}

async function join(house: RevokeHouse, name: string, url: string): Promise<RunningAgent> {
  const { token } = await house.operator.createToken({ name, roles: ["agent"] });
  await writeFile(house.path(`${name}-token`), token, { mode: 0o600 });
  const files = ["--socket", house.path(`${name}.sock`), "--data-dir", house.path(name)];
  return startAgent(url, [...files, "--join-token-file", house.path(`${name}-token`)]);
}

interface Holder {
  readonly workload: Workload;
  /** Resolves when all streams have an SVID. */
  live(): Promise<void>;
  /** When each ended, once all have. */
  ended(): Promise<number[]>;
  /** Opens again those that ended. */
  again(): void;
}

function holdStreams(program: string, socket: string): Holder {
  const workload = startProgram(program, [HOLDER, socket, `${STREAMS}`]);
  let isLive = false;
  let ends: number[] = [];
  void (async () => {
    for await (const { live, code, at } of workload.lines) {
      if (live === STREAMS) isLive = true;
      else if (code === DENIED) ends.push(at);
      else throw new Error(`a stream ended with ${code}`);
    }
  })();
  async function until(holds: () => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    while (!holds()) {
      if (performance.now() > deadline) throw new Error(`${ends.length} of ${STREAMS} streams ended`);
      await sleep(5);
    }
  }
  return {
    workload,
    live: () => until(() => isLive),
    async ended() {
      await until(() => ends.length === STREAMS);
      const all = ends;
      ends = [];
      isLive = false;
      return all;
    },
    again: () => void workload.child.kill("SIGUSR2"),
  };
}
