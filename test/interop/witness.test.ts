/**
 * Witnesses, as others have them: transparency-dev's witness cosigns our log, their client is served by ours, and
 * Tessera reads a policy as we do. The program is built anew from the Go module proxy, so only where
 * VOUCHSAFE_INTEROP=1 asks for it.
 */

import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseWitnessPolicy } from "../../src/tlog/witness-policy.ts";
import { witnessesOf } from "../../src/tlog/witnesses.ts";
import { openWitnessHouse, until } from "../services/witnessing/witness-house.ts";
import { endChild, endWithParent } from "../support/child.ts";
import { growLog } from "../support/grow-log.ts";
import { skipInterop } from "../support/interop.ts";
import { stopPostgres } from "../support/postgres.ts";
import { startWitness } from "../witness/witness-process.ts";

const run = promisify(execFile);

test("another witness cosigns our log, another client is cosigned by ours, and both agree on the quorum", {
  skip: skipInterop("go"),
  timeout: 600_000,
}, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-witness-interop-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const program = await build(directory).catch(() => undefined);
  if (program === undefined) return t.skip("the program cannot be built here");

  const [secret = "", goKey = ""] = (await run(program, ["key"])).stdout.trim().split(" ");
  const house = await openWitnessHouse();
  t.after(async () => {
    await house.close();
    await stopPostgres();
  });
  const first = await house.open();
  const { verifierKey: logKey } = first.v.log;
  await first.close();

  const ours = await startWitness(join(directory, "ours"), { name: "ours.example/w", logs: [goKey, logKey] });
  t.after(() => ours.stop());
  const submitted = await run(program, ["submit", ours.url, ours.verifierKey, secret]);
  assert.match(submitted.stdout, /^the witness holds$/m);

  const theirs = spawn(program, ["serve", logKey], { stdio: ["ignore", "pipe", "inherit"] });
  endWithParent(theirs);
  t.after(() => endChild(theirs));
  const [said] = (await once(createInterface({ input: theirs.stdout }), "line")) as [string];
  const [verifierKey = "", url = ""] = said.split(" ");

  const both = await house.policy(2, [ours, { verifierKey, url }]);
  const node = await house.open({ VOUCHSAFE_WITNESSES: both });
  for (const size of [20, 300]) {
    await growLog(node.v, size);
    await until(async () => (await node.app.inject("/log/witnesses")).json().witnessedSize === size);
  }
  const note = (await node.app.inject("/log/checkpoint")).body;
  const lines = note.trimEnd().split("\n");
  for (const [checkpoint, expected] of [
    [note, true],
    [`${lines.slice(0, -1).join("\n")}\n`, false],
    [`${lines.slice(0, -2).join("\n")}\n`, false],
  ] as const) {
    assert.equal(witnessesOf(checkpoint, parseWitnessPolicy(await readFile(both))).quorum, expected);
    const answer: string = spawnSync(program, ["policy", both], { input: checkpoint }).stdout.toString();
    assert.equal(answer, `${expected}\n`);
  }
  await node.close();
});

/** A version of a library that the witness names is not served; what it lacks of it nothing here calls. */
async function build(directory: string): Promise<string> {
  const cwd = join(directory, "source");
  await cp(fileURLToPath(new URL("witness", import.meta.url)), cwd, { recursive: true });
  await run("go", ["mod", "vendor"], { cwd });
  const merkle = join(cwd, "vendor/github.com/transparency-dev/merkle/proof");
  await cp(join(cwd, "subtree.go.txt"), join(merkle, "subtree.go"));
  const program = join(directory, "witness");
  await run("go", ["build", "-mod=vendor", "-o", program, "."], { cwd });
  return program;
}
