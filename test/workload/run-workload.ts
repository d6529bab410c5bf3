import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("workload.cjs", import.meta.url));

// biome-ignore lint/suspicious/noExplicitAny: what a program of another making printed; tests say what they need
export type Line = Record<string, any>;

export interface Workload {
  readonly child: ChildProcess;
  /** All lines that it writes and `next` has not taken. */
  readonly lines: AsyncIterable<Line>;
  /** The next line that it wrote; fails after half a minute without one. */
  next(): Promise<Line>;
  stop(): Promise<void>;
}

export interface Ask {
  readonly executable: string;
  readonly socket: string;
  readonly method: string;
  readonly request?: object;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly uid?: number;
}

/** Starts a process that makes one call of the Workload API. */
export function startWorkload({ executable, socket, method, request, metadata, uid }: Ask): Workload {
  const args = [SCRIPT, socket, method, JSON.stringify(request ?? {})];
  if (metadata !== undefined) args.push(JSON.stringify(metadata));
  return startProgram(executable, args, uid === undefined ? {} : { uid });
}

/** Starts a program that writes JSON lines. */
export function startProgram(
  program: string,
  args: readonly string[],
  { uid, env }: { readonly uid?: number; readonly env?: Readonly<Record<string, string>> } = {},
): Workload {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "inherit"],
    ...(env === undefined ? {} : { env: { ...process.env, ...env } }),
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return {
    child,
    lines: { [Symbol.asyncIterator]: () => parsed(lines) },
    async next() {
      const late = AbortSignal.timeout(30_000);
      const nothing = once(late, "abort").then(() => {
        throw new Error(`${args.join(" ")}: nothing was written within half a minute`);
      });
      const { value, done } = await Promise.race([lines.next(), nothing]);
      if (done === true) throw new Error(`${args.join(" ")}: ended and wrote nothing`);
      return JSON.parse(value) as Line;
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
      }
    },
  };
}

async function* parsed(lines: AsyncIterator<string>): AsyncGenerator<Line> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true) return;
    yield JSON.parse(value) as Line;
  }
}

/** Makes one call and gives its first line. */
export async function ask(options: Ask): Promise<Line> {
  const workload = startWorkload(options);
  try {
    return await workload.next();
  } finally {
    await workload.stop();
  }
}
