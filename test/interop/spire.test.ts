/**
 * SPIRE's own server and agent with our plugin. They are built from the Go module proxy, so only where
 * VOUCHSAFE_INTEROP=1 asks for it.
 */

import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import { appendFile, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { dirname } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bareEnvironment } from "../cli/server.ts";
import { endChild, endWithParent } from "../support/child.ts";
import { skipInterop } from "../support/interop.ts";
import { openProgramHouse, type ProgramHouse } from "../support/program-house.ts";

const run = promisify(execFile);
const BUILD = fileURLToPath(new URL("spire", import.meta.url));
/** Building takes minutes where nothing of it is in Go's cache. */
const TIMEOUT = 1_800_000;
const PROGRAMS = ["spire-agent", "spire-server"] as const;
const WIDGET = "spiffe://example.org/widget";

test("SPIRE gives identities to what a policy lets through, and none once it is in quarantine", {
  skip: process.platform === "linux" ? skipInterop("go", "cc") : "only Linux attests",
  timeout: TIMEOUT,
}, async (t) => {
  const house = await openProgramHouse();
  t.after(() => house.close());
  for (const program of PROGRAMS) {
    const args = ["-n", "19", "go", "build", "-mod=mod", "-o", house.path(program)];
    const from = `github.com/spiffe/spire/cmd/${program}`;
    const isBuilt = await run("nice", [...args, from], { cwd: BUILD, maxBuffer: 2 ** 26 }).then(
      () => true,
      (error) => t.diagnostic(String(error.stderr).slice(-2000)),
    );
    if (!isBuilt) return t.skip(`${program} cannot be built here`);
  }
  const spire = await startSpire(house);
  t.after(() => spire.stop());

  // A Go program: its digest is its own by a few bytes at the end.
  const workload = async (name: string) => {
    await copyFile(house.path("spire-agent"), house.path(name));
    await appendFile(house.path(name), name);
    return house.path(name);
  };
  const [released, unknown] = [await workload("released"), await workload("unknown")];
  const digest = await house.release(released);

  assert.equal(await spire.fetch(released, { tries: 60 }), WIDGET);
  await assert.rejects(spire.fetch(unknown), /no identity issued/);

  await house.operator.openQuarantine(digest, "a test");
  // For so long the plugin keeps an answer.
  await sleep(1_000);
  await assert.rejects(spire.fetch(released), /no identity issued/);
});

/** A server and an agent that has joined it, with an entry for what the policy `production` lets through. */
async function startSpire(house: ProgramHouse) {
  const { path } = house;
  const children: ChildProcess[] = [];
  const env = { ...bareEnvironment(), PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
  function start(program: string, ...args: string[]): void {
    const child = spawn(path(program), args, { env, stdio: ["ignore", "ignore", "inherit"] });
    endWithParent(child);
    children.push(child);
  }
  async function until<T>(call: () => Promise<T>, tries: number): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        tries -= 1;
        if (tries <= 0) throw error;
        await sleep(500);
      }
    }
  }
  const plugin = path("vouchsafe-plugin");
  await run("npm", ["run", "--silent", "build:spire-plugin", "--", `--outfile=${plugin}`]);
  const checksum = hash("sha256", await readFile(plugin));
  const port = await freePort();
  await mkdir(path("spire"));
  await writeFile(
    path("server.conf"),
    `server {
      bind_address = "127.0.0.1"
      bind_port = "${port}"
      socket_path = "${path("server.sock")}"
      trust_domain = "example.org"
      data_dir = "${path("spire")}"
      log_level = "ERROR"
    }
    plugins {
      DataStore "sql" {
        plugin_data {
          database_type = "sqlite3"
          connection_string = "${path("spire/data.sqlite3")}"
        }
      }
      NodeAttestor "join_token" { plugin_data {} }
      KeyManager "memory" { plugin_data {} }
    }`,
  );
  const server = (...args: string[]) =>
    run(path("spire-server"), [...args, "-socketPath", path("server.sock")]);
  start("spire-server", "run", "-config", path("server.conf"));
  await until(() => server("healthcheck"), 60);
  const token =
    /^Token: (\S+)/.exec((await server("token", "generate")).stdout)?.[1] ?? assert.fail("no token");

  await writeFile(
    path("agent.conf"),
    `agent {
      data_dir = "${path("spire")}"
      server_address = "127.0.0.1"
      server_port = "${port}"
      socket_path = "${path("agent.sock")}"
      trust_domain = "example.org"
      insecure_bootstrap = true
      log_level = "ERROR"
      experimental { sync_interval = "1s" }
    }
    plugins {
      NodeAttestor "join_token" { plugin_data {} }
      KeyManager "memory" { plugin_data {} }
      WorkloadAttestor "unix" { plugin_data {} }
      WorkloadAttestor "vouchsafe" {
        plugin_cmd = "${plugin}"
        plugin_checksum = "${checksum}"
        plugin_data {
          server = "${house.server}"
          token_file = "${house.tokenFile}"
          policies = ["production"] # as docs/spire.md has it
        }
      }
    }`,
  );
  const validated = await run(path("spire-agent"), ["validate", "-config", path("agent.conf")], { env });
  assert.match(validated.stdout, /valid/);
  start("spire-agent", "run", "-config", path("agent.conf"), "-joinToken", token);
  await until(() => run(path("spire-agent"), ["healthcheck", "-socketPath", path("agent.sock")]), 60);
  const parent = `spiffe://example.org/spire/agent/join_token/${token}`;
  const selector = "vouchsafe:policy:production";
  await server("entry", "create", "-parentID", parent, "-spiffeID", WIDGET, "-selector", selector);

  return {
    /** Has a program ask SPIRE's Workload API, as what it is. @returns the SPIFFE ID that it gets */
    async fetch(program: string, { tries = 1 } = {}): Promise<string | undefined> {
      const args = ["api", "fetch", "x509", "-socketPath", path("agent.sock"), "-output", "json"];
      const { stdout } = await until(() => run(program, args), tries);
      return JSON.parse(stdout).svids[0]?.spiffe_id;
    },
    async stop(): Promise<void> {
      for (const child of children.reverse()) await endChild(child);
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
