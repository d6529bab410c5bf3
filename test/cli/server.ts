import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { endChild, endWithParent } from "../support/child.ts";

/** A server process of its own, as `npm start` runs it. */
export interface RunningServer {
  readonly url: string;
  readonly pid: number;
  /** What `npm start` printed, up to and with what to do next. */
  readonly banner: string;
  /** Asks it to finish, and waits until it has. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would (SIGKILL), and waits until it is gone. */
  kill(): Promise<void>;
  /** Stops it in the middle of whatever it does (SIGSTOP). */
  freeze(): void;
  /** Lets it go on (SIGCONT). */
  thaw(): void;
}

const MAIN = fileURLToPath(new URL("../../src/http/main.ts", import.meta.url));
const LISTENS = /listens on (http:\/\/\S+)/;

/**
 * Starts a server on a free port and waits until it answers. It is configured by `settings` alone: neither
 * DATABASE_URL nor VOUCHSAFE_… of this process reach it. Fails with what the server wrote when it does not start.
 */
export async function startServer(settings: Readonly<Record<string, string>>): Promise<RunningServer> {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      ...bareEnvironment(),
      HOST: "127.0.0.1",
      PORT: "0",
      LOG_LEVEL: "error",
      VOUCHSAFE_TUF: "off",
      ...settings,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  endWithParent(child);
  const { url, banner } = await listening(child);
  return {
    url,
    pid: child.pid ?? 0,
    banner,
    stop: () => endChild(child),
    kill: () => endChild(child, "SIGKILL"),
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
  };
}

/** This process's environment without what would configure a server or a client. */
export function bareEnvironment(): NodeJS.ProcessEnv {
  const ours =
    /^(VOUCHSAFE_|NODE_TEST|DATABASE_URL$|MIGRATE_DATABASE_URL$|HOST$|PORT$|NO_COLOR$|FORCE_COLOR$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}

function listening(child: ChildProcess): Promise<{ url: string; banner: string }> {
  return new Promise((resolve, reject) => {
    let banner = "";
    let errors = "";
    child.stderr?.on("data", (chunk) => {
      errors += chunk;
    });
    child.stdout?.on("data", (chunk) => {
      banner += chunk;
      const url = LISTENS.exec(banner)?.[1];
      if (url !== undefined) resolve({ url, banner });
    });
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new Error(`the server ended with ${code} before it listened:\n${errors}${banner}`)),
    );
  });
}
