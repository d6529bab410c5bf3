/** Every route by its own description: Schemathesis makes requests of it. From the Python index, so only where VOUCHSAFE_INTEROP=1 asks for it. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROLES } from "../../src/services/caller.ts";
import { startServer } from "../cli/server.ts";
import { openNode, type TestNode } from "../http/node.ts";
import { skipInterop } from "../support/interop.ts";
import { createPostgres, settingsOf, stopPostgres } from "../support/postgres.ts";

const SCHEMATHESIS = "schemathesis==4.32.5";
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_schema_conformance",
];
/** Made for each route and each way of making them. */
const EXAMPLES = 40;

const skip = skipInterop();
let directory: string;
let program: string;

before(
  async () => {
    if (skip !== false) return;
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-schemathesis-"));
    // One that is installed already, for who runs this again and again.
    program = process.env.SCHEMATHESIS ?? join(directory, "venv/bin/schemathesis");
    if (process.env.SCHEMATHESIS !== undefined) return;
    for (const command of [
      ["python3", "-m", "venv", "venv"],
      ["venv/bin/pip", "install", "--quiet", SCHEMATHESIS],
    ]) {
      const { status, output } = await run(command);
      assert.equal(status, 0, output);
    }
  },
  { timeout: 300_000 },
);
after(async () => {
  if (skip !== false) return;
  await stopPostgres();
  await rm(directory, { recursive: true, force: true });
});

/** Of the node whose tokens the server takes too: they share a database. */
async function withServer(test: (url: string, node: TestNode) => Promise<void>): Promise<void> {
  const postgres = await createPostgres();
  const node = await openNode(settingsOf(postgres));
  const server = await startServer({
    ...settingsOf(postgres),
    VOUCHSAFE_DATA_DIR: join(directory, "server"),
    VOUCHSAFE_LOG_KEY_FILE: join(node.v.config.dataDir, "log-key.pem"),
    VOUCHSAFE_POLICIES: node.v.config.policiesDir,
  });
  try {
    await test(server.url, node);
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  } finally {
    await server.stop();
    await node.close();
    await postgres.drop();
    await rm(join(directory, "server"), { recursive: true });
  }
}

for (const who of ["every role", "nobody"] as const) {
  test(`no request that is made of the description is answered with 500, or otherwise than described, to ${who}`, {
    skip,
    timeout: 900_000,
  }, async () => {
    await withServer(async (url, node) => {
      const token = await node.token(ROLES.filter((role) => role !== "agent"));
      const { status, output } = await run([
        program,
        "run",
        `${url}/openapi.json`,
        ...(who === "nobody" ? [] : ["--header", `Authorization: Bearer ${token}`]),
        ...["--phases", "examples,coverage,fuzzing"],
        ...["--max-examples", String(EXAMPLES)],
        ...["--checks", CHECKS.join(",")],
        ...["--exclude-path", "/revocations/stream", "--exclude-path", "/identities/watch"],
        ...["--seed", "1", "--no-color", "--continue-on-failure"],
        ...["--suppress-health-check", "all", "--warnings", "off", "--request-timeout", "30"],
      ]);
      assert.equal(status, 0, output.slice(-20_000));
      console.log(output.split("\n").slice(-25).join("\n"));
    });
  });
}

function run([command = "", ...args]: readonly string[]): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (chunk) => {
        output += chunk;
      });
    }
    child.once("error", reject);
    child.once("close", (status) => resolve({ status, output }));
  });
}
