import { execFile, spawn } from "node:child_process";
import { chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { endChild, endWithParent } from "./child.ts";
import { freePort } from "./postgres.ts";

const run = promisify(execFile);
/** Where Debian and its like install each major version. */
const INSTALLED = "/usr/lib/postgresql";

/** A Postgres of this machine's, with the programs that it was installed with: those that the tests bring along have no `pg_dump`. */
export interface InstalledPostgres {
  readonly url: string;
  /** A directory in which its programs may write. */
  readonly directory: string;
  /** Runs one of its programs. */
  run(program: "pg_dump" | "pg_restore", args: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** The newest version's programs; undefined where there are none. */
export async function installedPrograms(): Promise<string | undefined> {
  for (const version of (await readdir(INSTALLED).catch(() => [])).sort((a, b) => Number(b) - Number(a))) {
    const directory = join(INSTALLED, version, "bin");
    const programs = await readdir(directory);
    if (["initdb", "postgres", "pg_dump", "pg_restore"].every((name) => programs.includes(name)))
      return directory;
  }
  return undefined;
}

export async function startInstalled(programs: string): Promise<InstalledPostgres> {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-installed-"));
  const data = join(directory, "data");
  const user = await unprivileged();
  if (user.uid !== undefined) await chown(directory, user.uid, user.gid);
  await run(join(programs, "initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "-N"], user);
  const port = await freePort();
  const settings = [`port=${port}`, "listen_addresses=127.0.0.1", `unix_socket_directories=${directory}`];
  const server = spawn(join(programs, "postgres"), ["-D", data, ...settings.flatMap((one) => ["-c", one])], {
    stdio: "ignore",
    ...user,
  });
  endWithParent(server);
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await answers(url);
  return {
    url,
    directory,
    run: async (program, args) => {
      await run(join(programs, program), [...args], user);
    },
    async stop() {
      // On SIGTERM it would wait until its clients have gone.
      await endChild(server, "SIGKILL");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Postgres does not run as root: then as the user that its package made. */
async function unprivileged(): Promise<{ readonly uid: number; readonly gid: number } | { uid?: undefined }> {
  if (process.getuid?.() !== 0) return {};
  const id = async (option: string) => Number((await run("id", [option, "postgres"])).stdout);
  return { uid: await id("-u"), gid: await id("-g") };
}

async function answers(url: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const client = new pg.Client(url);
    client.on("error", () => {});
    try {
      await client.connect();
      return await client.end();
    } catch (error) {
      if (tries === 300) throw error;
      await sleep(100);
    }
  }
}
