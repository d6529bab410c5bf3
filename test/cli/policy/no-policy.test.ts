import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ed25519Signer } from "../../../src/tlog/note.ts";
import { assertEnded, vouchsafe } from "../vouchsafe.ts";

test("a file that holds no policy, as one that was emptied by mistake, is taken for none", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-no-policy-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, "artifact"), "");
  // No server answers there: to ask one would end with 3.
  const env = { VOUCHSAFE_SERVER: "http://127.0.0.1:1", VOUCHSAFE_TOKEN: "x" };
  const { verifierKey } = ed25519Signer("vouchsafe.test/log", generateKeyPairSync("ed25519").privateKey);
  for (const text of ["", "# nothing yet\n---\n"]) {
    await writeFile(join(directory, "empty.yaml"), text);
    for (const args of [
      ["policy", "lint", "empty.yaml"],
      ["policy", "activate", "empty.yaml"],
      ["policy", "explain", "empty.yaml"],
      ["verify", "artifact", "--bundle", "artifact", "--policy", "empty.yaml"],
      ["custody", "verify", "artifact", "--log-key", verifierKey, "--policy", "empty.yaml"],
    ]) {
      const ended = await vouchsafe(args, { cwd: directory, env });
      assertEnded(
        ended,
        2,
        "stderr",
        /^error: There is no policy in empty\.yaml: everything would be denied/,
      );
      assert.equal(ended.stdout, "", args.join(" "));
    }
  }
  const builder = ["policy", "lint", join(process.cwd(), "policies/builders/gitlab-ci.yaml")];
  assertEnded(await vouchsafe(builder, { cwd: directory, env }), 0, "stdout", /^ok Builder /);
});
