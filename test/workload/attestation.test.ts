/** Who is attested when processes do not hold still: descriptors handed on, exec, exit, and pids given out again. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readlinkSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Agent, openAgent } from "../../src/workload/agent.ts";
import { digestsOf } from "../../src/workload/attested-workload.ts";
import { readProcessStatus } from "../../src/workload/process-status.ts";
import { buildExecutable, type Executable, tamperedCopy } from "./executable.ts";
import { type LocalSource, openLocalSource } from "./local-source.ts";
import { ask, type Line, startProgram } from "./run-workload.ts";

const OPENER = fileURLToPath(new URL("opener.cjs", import.meta.url));
const IDLE = fileURLToPath(new URL("idle.cjs", import.meta.url));
const PERMISSION_DENIED = 7;
const NOBODY = 65534;
const LAST_PID = "/proc/sys/kernel/ns_last_pid";

describe("attestation of processes", { skip: process.platform !== "linux" && "only Linux attests" }, () => {
  let directory: string;
  let socket: string;
  let widget: Executable;
  let other: Executable;
  let source: LocalSource;
  let agent: Agent;
  let opened = 0;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-attest-"));
    await chmod(directory, 0o755);
    socket = join(directory, "agent.sock");
    widget = await buildExecutable(directory);
    other = await tamperedCopy(widget, "other");
    source = await openLocalSource();
    agent = await openAgent({ socketPath: socket, source, log: () => {} });
  });
  after(async () => {
    await agent.close();
    await source.remove();
    await rm(directory, { recursive: true, force: true });
  });

  /** A process that connects, and another program that has its connection and asks on `go`. */
  function handOn(by: Executable, then: readonly string[], options: { readonly uid?: number } = {}) {
    opened += 1;
    const goFile = join(directory, `go-${opened}`);
    const args = [OPENER, socket, process.execPath, goFile, ...then];
    const opener = startProgram(by.path, args, options);
    return {
      opener,
      async go(): Promise<Line> {
        await writeFile(goFile, "");
        return opener.next();
      },
    };
  }

  describe("a descriptor that was handed on", () => {
    test("speaks for whoever connected it, while that one runs: what cannot be promised", async () => {
      source.approve(widget.digest);
      const { opener, go } = handOn(widget, ["stay"]);
      try {
        assert.deepEqual(await go(), { answer: true });
        assert.equal(source.granted.at(-1)?.workload.pid, opener.child.pid);
      } finally {
        await opener.stop();
      }
    });

    test("gives nothing of another user's", { skip: process.getuid?.() !== 0 && "needs root" }, async () => {
      source.approve(widget.digest, "unix:uid:0");
      const { opener, go } = handOn(widget, ["stay"], { uid: NOBODY });
      try {
        assertDenied(await go(), "not-registered");
        assert.ok(source.asked.at(-1)?.selectors.includes(`unix:uid:${NOBODY}`));
      } finally {
        await opener.stop();
      }
    });

    test("gives nothing of another cgroup's", async (t) => {
      const own = (await readProcessStatus(process.pid)).cgroups;
      const cgroup = await makeCgroup(t, own);
      if (cgroup === undefined) return;
      source.approve(widget.digest, `unix:cgroup:${cgroup.parent}`);
      const { opener, go } = handOn(widget, ["stay"]);
      try {
        await writeFile(join(cgroup.directory, "cgroup.procs"), String(opener.child.pid));
        assertDenied(await go(), "not-registered");
        assert.ok(source.asked.at(-1)?.selectors.includes(`unix:cgroup:${cgroup.name}`));
      } finally {
        await opener.stop();
      }
    });

    test("gives nothing once whoever connected it has ended", async () => {
      source.approve(widget.digest);
      const { opener, go } = handOn(widget, ["exit"]);
      await ended(opener.child);
      assertDenied(await go(), "process-gone");
    });

    test("gives nothing when its pid was given to a process that is approved", async (t) => {
      source.approve(widget.digest);
      const { opener, go } = handOn(other, ["exit"]);
      await ended(opener.child);
      const successor = await takePid(t, opener.child.pid ?? 0, widget.path);
      const asked = source.asked.length;
      // Asked also where nobody took the pid: whoever holds the descriptor ends only then.
      assertDenied(await go(), "process-gone");
      assert.equal(source.asked.length, asked);
      successor?.kill("SIGKILL");
    });

    test("gives nothing when whoever connected it became an approved program afterwards", async () => {
      source.approve(widget.digest);
      const { opener, go } = handOn(other, ["exec", widget.path, IDLE]);
      try {
        await until(() => readlinkSync(`/proc/${opener.child.pid}/exe`) === widget.path);
        assertDenied(await go(), "executable-changed");
      } finally {
        await opener.stop();
      }
    });
  });

  test("50 processes that ask, exec, fork and exit get identities of what ran when they connected, and no others", async () => {
    source.approve(widget.digest);
    let expected = 0;
    const one = async (number: number): Promise<void> => {
      const kind = number % 5;
      if (kind === 0) {
        const line = await ask({ executable: widget.path, socket, method: "FetchX509SVID" });
        assert.ok(line.answer, JSON.stringify(line));
        expected += 1;
      } else if (kind === 1) {
        const line = await ask({ executable: other.path, socket, method: "FetchX509SVID" });
        assertDenied(line, "not-approved");
      } else {
        const then = kind === 2 ? ["exit"] : ["exec", kind === 3 ? widget.path : other.path, IDLE];
        const { opener, go } = handOn(kind === 4 ? widget : other, then);
        try {
          if (kind === 2) await ended(opener.child);
          else await until(() => readlinkSync(`/proc/${opener.child.pid}/exe`) === then[1]);
          assertDenied(await go(), kind === 2 ? "process-gone" : "executable-changed");
        } finally {
          await opener.stop();
        }
      }
    };
    const numbers = Array.from({ length: 50 }, (_, number) => number);
    const worker = async () => {
      for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) await one(number);
    };
    await Promise.all(Array.from({ length: 4 }, worker));
    assert.equal(expected, 10);
    assert.ok(source.granted.every(({ workload }) => digestsOf(workload)[0] === widget.digest));
  });
});

function assertDenied(line: Line, reason: string): void {
  assert.equal(line.code, PERMISSION_DENIED, JSON.stringify(line));
  assert.match(line.details, new RegExp(`\\(.*${reason}.*\\)$`));
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries += 1) {
    assert.ok(tries < 500, "it did not come to pass within ten seconds");
    await sleep(20);
  }
}

async function ended({ pid }: ChildProcess): Promise<void> {
  await until(() => !existsSync(`/proc/${pid}`));
}

/** A child of the cgroup that this process is in, in a hierarchy where one can be made. */
async function makeCgroup(t: TestContext, own: readonly string[]) {
  for (const parent of own) {
    const [, controllers, path] = /^(?:([^/]+):)?(\/.*)$/.exec(parent) ?? [];
    const mount = join("/sys/fs/cgroup", controllers?.replace(/^name=/, "") ?? "");
    const directory = join(mount, path ?? "", `vouchsafe-test-${process.pid}`);
    if (!existsSync(join(mount, path ?? "", "cgroup.procs"))) continue;
    try {
      await mkdir(directory);
    } catch {
      continue;
    }
    // What was killed leaves it a moment later.
    t.after(async () => {
      for (let tries = 0; tries < 50 && existsSync(directory); tries += 1) {
        await rmdir(directory).catch(() => sleep(20));
      }
    });
    const name = `${controllers === undefined ? "" : `${controllers}:`}${join(path ?? "", `vouchsafe-test-${process.pid}`)}`;
    return { directory, parent, name };
  }
  t.skip("no cgroup can be made here");
  return undefined;
}

/** A process of this pid that runs the program. */
async function takePid(t: TestContext, pid: number, program: string): Promise<ChildProcess | undefined> {
  for (let tries = 0; tries < 50; tries += 1) {
    try {
      await writeFile(LAST_PID, String(pid - 1));
    } catch {
      break;
    }
    const child = spawn(program, [IDLE], { stdio: "ignore" });
    if (child.pid === pid) return child;
    child.kill("SIGKILL");
  }
  t.skip(`${LAST_PID} cannot be used to choose a pid here`);
  return undefined;
}
