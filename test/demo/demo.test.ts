import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { UNLESS_LONG } from "../support/long.ts";

test("the demo tells the main job to its end: it fails when a step goes otherwise than told", {
  skip: UNLESS_LONG,
}, async () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main]);
  const answers = [...stdout.matchAll(/^ {5}(allow|deny) sha256:/gm)].map(([, decision]) => decision);
  assert.deepEqual(answers, ["deny", "allow", "deny", "deny"]);
  assert.match(stdout, /which said "welcome, spiffe:\/\/vouchsafe\.local\/widget"/, "the peer saw the SVID");
  const refusals = stdout.match(/PermissionDenied: No identity is granted: .*/g) ?? [];
  assert.match(refusals[0] ?? "", /no-verdict/, "the tampered program gets no identity");
  assert.match(refusals[1] ?? "", /quarantined/, "the genuine one loses its own");
  assert.match(stdout, /holds Event \d+: the X\.509-SVID .* was granted/, "the custody file names the SVID");
  assert.match(stdout, /source\.repository: expected .*acme.*; found .*mallory/, "the nearest miss is shown");
  assert.match(stdout, /The custody file holds\.[\s\S]*\(exit status 1\)[\s\S]*By hand/);
});
