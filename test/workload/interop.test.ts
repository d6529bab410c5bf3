/**
 * Other makers' clients against the socket: go-spiffe and py-spiffe. They are built or installed anew from their
 * registries, so only where VOUCHSAFE_INTEROP=1 asks for it.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { hash } from "node:crypto";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { digestOf } from "../../src/in-toto-attestation/digest.ts";
import { openAgent } from "../../src/workload/agent.ts";
import { skipInterop } from "../support/interop.ts";
import { openLocalSource } from "./local-source.ts";
import { openService } from "./open-service.ts";
import { startProgram } from "./run-workload.ts";

const run = promisify(execFile);
const PERMISSION_DENIED = 7;
/** Short, so that a test sees a rotation. */
const TTL = 6_000;
const INSTALL_TIMEOUT = 300_000;

async function succeeds(program: string, args: readonly string[], cwd?: string): Promise<boolean> {
  return run(program, [...args], cwd === undefined ? {} : { cwd }).then(
    () => true,
    () => false,
  );
}

describe("clients of other makers", { timeout: INSTALL_TIMEOUT }, () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-interop-"));
    await chmod(directory, 0o755);
  });
  after(() => rm(directory, { recursive: true, force: true }));

  test("go-spiffe", { skip: skipInterop("go"), timeout: INSTALL_TIMEOUT }, async (t) => {
    const client = join(directory, "go-client");
    const cwd = fileURLToPath(new URL("go", import.meta.url));
    if (!(await succeeds("go", ["mod", "download"], cwd)))
      return t.skip("go-spiffe cannot be downloaded here");
    await run("go", ["build", "-o", client, "."], { cwd });
    const digest = digestOf("sha256", hash("sha256", await readFile(client)));
    const socket = join(directory, "go.sock");
    const source = await openLocalSource({ ttl: TTL });
    const agent = await openAgent({ socketPath: socket, source, log: () => {} });
    const start = (what: string) =>
      startProgram(client, [what], { env: { SPIFFE_ENDPOINT_SOCKET: `unix://${socket}` } });
    try {
      const refused = await start("ask").next();
      assert.equal(refused.code, PERMISSION_DENIED);
      assert.match(refused.details, /not-approved/);

      source.approve(digest);
      const spiffeId = `spiffe://test.example/workload/${digest.slice("sha256:".length)}`;
      const workload = start("fetch");
      assert.deepEqual(await workload.next(), { spiffeId });
      assert.deepEqual(await workload.next(), { mtls: true });
      assert.deepEqual(await workload.next(), { rotated: true });
      assert.deepEqual(await workload.next(), { jwt: spiffeId });
      await workload.stop();
    } finally {
      await agent.close();
      await source.remove();
    }
  });

  // Python is an interpreter and grounds nothing: who calls is given here, the rest is the agent's own.
  test("py-spiffe", { skip: skipInterop("python3"), timeout: INSTALL_TIMEOUT }, async (t) => {
    const venv = join(directory, "venv");
    const install = ["install", "--quiet", "spiffe==0.3.2"];
    const isInstalled =
      (await succeeds("python3", ["-m", "venv", venv])) && (await succeeds(join(venv, "bin/pip"), install));
    if (!isInstalled) return t.skip("py-spiffe cannot be installed here");
    const digest = digestOf("sha256", hash("sha256", "a workload in Python"));
    const spiffeId = `spiffe://test.example/workload/${digest.slice("sha256:".length)}`;
    const socket = join(directory, "py.sock");
    const source = await openLocalSource({ ttl: TTL });
    const service = await openService(socket, source, () => ({
      pid: 1,
      selectors: [],
      components: { executable: [digest] },
    }));
    const script = fileURLToPath(new URL("python/client.py", import.meta.url));
    const start = () =>
      startProgram(join(venv, "bin/python"), [script], {
        env: { SPIFFE_ENDPOINT_SOCKET: `unix://${socket}` },
      });
    try {
      assert.match((await start().next()).error, /not-approved/);
      source.approve(digest);
      const workload = start();
      assert.deepEqual(await workload.next(), { spiffeId });
      assert.deepEqual(await workload.next(), { rotated: true });
      assert.deepEqual(await workload.next(), { jwt: spiffeId });
      await workload.stop();
    } finally {
      await service.close();
      await source.remove();
    }
  });
});
