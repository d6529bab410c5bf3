import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

test("the demo tells the main job to its end: it fails when a step goes otherwise than told", async () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main]);
  const answers = [...stdout.matchAll(/^ {5}(allow|deny) sha256:/gm)].map(([, decision]) => decision);
  assert.deepEqual(answers, ["deny", "allow", "deny", "deny", "deny"]);
  assert.match(stdout, /source\.repository: expected .*acme.*; found .*mallory/, "the nearest miss is shown");
  assert.match(stdout, /The custody file holds\.[\s\S]*\(exit status 1\)[\s\S]*By hand/);
});
