/**
 * Five hundred streams on one agent, of five programs: what each costs in memory, and a rotation of all in time. What is
 * asserted are ratios; the numbers are told. Some seconds of a whole machine, so only where VOUCHSAFE_LONG=1 asks for it.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { UNLESS_LONG } from "../support/long.ts";
import { buildExecutable, type Executable, tamperedCopy } from "./executable.ts";
import { openLocalSource } from "./local-source.ts";
import { startMeasuredAgent } from "./measured-agent.ts";
import { openService } from "./open-service.ts";
import { startProgram, type Workload } from "./run-workload.ts";

const MANY = fileURLToPath(new URL("many.cjs", import.meta.url));
const [PROGRAMS, STREAMS] = [5, 500];
const ROUNDS = 10;

function skip(): string | false {
  if (process.platform !== "linux") return "only Linux attests";
  return UNLESS_LONG;
}

describe("an agent of five hundred streams", { skip: skip() }, () => {
  let directory: string;
  let agent: Awaited<ReturnType<typeof startMeasuredAgent>>;
  const programs: Executable[] = [];
  const workloads: Workload[] = [];
  const socket = () => join(directory, "agent.sock");
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-many-"));
    await chmod(directory, 0o755);
    const first = await buildExecutable(directory);
    for (let i = 0; i < PROGRAMS; i += 1) programs.push(await tamperedCopy(first, `program-${i}`));
    agent = await startMeasuredAgent(socket());
    await agent.ask({ approve: programs.map(({ digest }) => digest) });
  });
  after(async () => {
    for (const workload of workloads) await workload.stop();
    await agent.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Starts each program with so many streams and waits until each has its SVID. */
  async function start(streams: number): Promise<Workload[]> {
    const started = programs.map(({ path }) =>
      startProgram(path, [MANY, socket(), String(streams / PROGRAMS)]),
    );
    workloads.push(...started);
    await Promise.all(started.map((workload) => until(workload, streams / PROGRAMS)));
    return started;
  }
  /** Rotates all of them so many times. @returns milliseconds of the agent's per message, and grants per round */
  async function rotate(started: readonly Workload[], streams: number, before: number) {
    const first = await agent.ask({});
    for (let round = 1; round <= ROUNDS; round += 1) {
      await agent.ask({ touch: programs.map(({ digest }) => digest) });
      const each = ((before + round) * streams) / PROGRAMS;
      await Promise.all(started.map((workload) => until(workload, each)));
    }
    const last = await agent.ask({});
    return {
      cpu: (last.cpu - first.cpu) / ROUNDS / streams,
      granted: (last.granted - first.granted) / ROUNDS,
    };
  }

  test("costs little for each, and no more for each than of fifty", async (t) => {
    const few = await start(STREAMS / 10);
    const ofFew = await rotate(few, STREAMS / 10, 1);
    for (const workload of few) await workload.stop();
    const idle = await agent.ask({});

    const many = await start(STREAMS);
    const full = await agent.ask({});
    assert.equal(full.granted, idle.granted, "what was held for the same programs was granted again");
    const ofMany = await rotate(many, STREAMS, 1);
    const after = await agent.ask({});

    const perStream = (full.rss - idle.rss) / STREAMS;
    t.diagnostic(
      `RSS ${mib(idle.rss)} MiB idle, ${mib(full.rss)} MiB with ${STREAMS} streams: ${Math.round(perStream / 1024)} KiB each`,
    );
    t.diagnostic(
      `in use ${mib(full.held)} MiB, ${mib(after.held)} after ${ROUNDS} rotations; RSS then ${mib(after.rss)}`,
    );
    t.diagnostic(
      `a rotation: ${ofMany.cpu.toFixed(2)} ms of CPU for each stream (of ${STREAMS / 10}: ${ofFew.cpu.toFixed(2)}), ${ofMany.granted} grants`,
    );
    assert.equal(ofMany.granted, PROGRAMS);
    assert.ok(full.rss < 2 * idle.rss, `${mib(idle.rss)} MiB became ${mib(full.rss)}`);
    assert.ok(
      after.held < 1.2 * full.held,
      `${mib(full.held)} MiB became ${mib(after.held)} by ${ROUNDS} rotations`,
    );
    assert.ok(ofMany.cpu < 2 * ofFew.cpu, `${ofFew.cpu} ms became ${ofMany.cpu}`);
  });
});

test("one user's calls are bounded, whatever connections they come by", { skip: skip() }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-calls-"));
  const socket = join(directory, "agent.sock");
  const source = await openLocalSource();
  const service = await openService(socket, source, () => ({ pid: 1, selectors: [], components: {} }));
  const sessions: ClientHttp2Session[] = [];
  t.after(async () => {
    for (const session of sessions) session.destroy();
    await service.close();
    await source.remove();
    await rm(directory, { recursive: true, force: true });
  });
  const CALL = {
    ":method": "POST",
    ":path": "/SpiffeWorkloadAPI/FetchX509Bundles",
    "content-type": "application/grpc",
    "workload.spiffe.io": "true",
  };
  const [PER_CONNECTION, BOUND] = [64, 4096];
  const open = () => {
    const session = connectHttp2("http://localhost", { createConnection: () => connect(socket) });
    sessions.push(session);
    return session;
  };
  const call = async (session: ClientHttp2Session) => {
    const stream = session.request(CALL);
    stream.end(Buffer.alloc(5));
    const [headers] = await once(stream, "response");
    return { stream, refused: headers["grpc-status"] };
  };
  for (let connection = 0; connection < BOUND / PER_CONNECTION; connection += 1) {
    const session = open();
    const calls = await Promise.all(Array.from({ length: PER_CONNECTION }, () => call(session)));
    for (const { refused } of calls) assert.equal(refused, undefined);
  }
  const last = open();
  assert.equal((await call(last)).refused, "8");
  sessions[0]?.destroy();
  for (let refused: unknown = "8"; refused === "8"; ) refused = (await call(last)).refused;
});

async function until(workload: Workload, received: number): Promise<void> {
  for (let said = 0; said < received; ) said = (await workload.next()).received;
}

function mib(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
