/** The API's description, as the OpenAPI Initiative's own schemas have it. From the Python index, so only where VOUCHSAFE_INTEROP=1 asks for it. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openNode, type TestNode } from "../http/node.ts";
import { skipInterop } from "../support/interop.ts";

const VALIDATOR = "openapi-spec-validator==0.9.0";

const skip = skipInterop();
let directory: string;
let node: TestNode;

before(async () => {
  if (skip !== false) return;
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-openapi-"));
  node = await openNode();
});
after(async () => {
  if (skip !== false) return;
  await node.close();
  await rm(directory, { recursive: true, force: true });
});

test("the description is an OpenAPI 3.1 document", { skip, timeout: 300_000 }, async () => {
  const run = (program: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: directory, encoding: "utf8" });
    assert.equal(status, 0, `${program} ${args.join(" ")}\n${stdout}${stderr}`);
    return stdout;
  };
  run("python3", "-m", "venv", "venv");
  run("venv/bin/pip", "install", "--quiet", VALIDATOR);
  await writeFile(join(directory, "openapi.json"), (await node.app.inject("/openapi.json")).body);
  assert.match(run("venv/bin/openapi-spec-validator", "openapi.json"), /OK/);
});
