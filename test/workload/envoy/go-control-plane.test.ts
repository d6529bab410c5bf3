/**
 * A client in Go by go-control-plane's types, which says whether our messages are Envoy's. It is built anew, so only where
 * VOUCHSAFE_INTEROP=1 asks for it.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { hash } from "node:crypto";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { digestOf } from "../../../src/in-toto-attestation/digest.ts";
import { openAgent } from "../../../src/workload/agent.ts";
import { skipInterop } from "../../support/interop.ts";
import { openLocalSource } from "../local-source.ts";
import { startProgram, type Workload } from "../run-workload.ts";

const run = promisify(execFile);
const PERMISSION_DENIED = 7;
const TIMEOUT = 300_000;

test("go-control-plane's types read what the secret discovery service gives", {
  skip: process.platform === "linux" ? skipInterop("go") : "only Linux attests",
  timeout: TIMEOUT,
}, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-sds-go-"));
  await chmod(directory, 0o755);
  const source = await openLocalSource();
  const socket = join(directory, "agent.sock");
  const agent = await openAgent({ socketPath: socket, source, log: () => {} });
  const workloads: Workload[] = [];
  t.after(async () => {
    for (const workload of workloads) await workload.stop();
    await agent.close();
    await source.remove();
    await rm(directory, { recursive: true, force: true });
  });
  const client = join(directory, "client");
  const cwd = fileURLToPath(new URL("go", import.meta.url));
  const isThere = await run("go", ["mod", "download"], { cwd }).then(
    () => true,
    () => false,
  );
  if (!isThere) return t.skip("go-control-plane cannot be downloaded here");
  await run("go", ["build", "-o", client, "."], { cwd });
  const digest = digestOf("sha256", hash("sha256", await readFile(client)));
  const start = () => {
    const workload = startProgram(client, [socket]);
    workloads.push(workload);
    return workload;
  };

  const refused = await start().next();
  assert.equal(refused.code, PERMISSION_DENIED);
  assert.match(refused.details, /not-approved/);

  source.approve(digest);
  const workload = start();
  const spiffeId = `spiffe://test.example/workload/${digest.slice("sha256:".length)}`;
  assert.deepEqual(await workload.next(), { spiffeId });
  source.touch(digest);
  assert.deepEqual(await workload.next(), { rotated: true });
});
