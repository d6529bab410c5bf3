import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { assertEnded, vouchsafe } from "./vouchsafe.ts";

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-cli-config-"));
});
after(() => rm(directory, { recursive: true, force: true }));

test("vouchsafe config tells what a server would be set up with, and never a password", async () => {
  await writeFile(
    join(directory, "v.yaml"),
    "database: {url: postgres://app:hunter2@db/x}\nlisten: {port: 1}\n",
  );
  const env = { PORT: "2", VOUCHSAFE_KEYZ: "a.pem" };
  const shown = await vouchsafe(["config", "show", "--config", "v.yaml"], { cwd: directory, env });
  assertEnded(shown, 0, "stdout", /^listen\.port +PORT +2$/m);
  assert.match(shown.stdout, /^database\.url +file +\(given\)$/m);
  assert.match(shown.stderr, /VOUCHSAFE_KEYZ is no setting: did you mean `VOUCHSAFE_KEYS`\?/);
  assert.doesNotMatch(shown.stdout + shown.stderr, /hunter2/);

  await writeFile(join(directory, "v.yaml"), "listen: {porrt: 1}\n");
  const checked = await vouchsafe(["config", "check", "--config", "v.yaml"], { cwd: directory });
  assertEnded(checked, 2, "stderr", /v\.yaml:1:10: unknown key `listen\.porrt`: did you mean `port`\?/);
});
