import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { EXIT } from "../../src/cli/exit-codes.ts";
import { sha256 } from "../../src/in-toto-attestation/index.ts";
import { type Case, openCorpus } from "../corpus/manifest.ts";
import { recordedTerminal } from "../support/recorded-terminal.ts";
import { conform } from "./conform.ts";

const CORPUS = fileURLToPath(new URL("../../../shared/corpus/", import.meta.url));
const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const isHere = existsSync(join(CORPUS, "MANIFEST.json"));

/** Each case as the suite calls a client for it: once with the artifact's path and once with its digest. */
const calls = isHere ? openCorpus(CORPUS).cases.filter(isConformance).flatMap(callsOf) : [];

function isConformance({ family }: Case & { family?: string }): boolean {
  return family === "conformance";
}

function callsOf(one: Case & { conformance?: { ownTrustedRoot: boolean } }) {
  const { bundle, artifact = "", key, trustedRoot = "" } = one.files;
  const { san = "", issuer = "" } = one.policy ?? {};
  const path = join(CORPUS, artifact);
  const args = [
    "verify-bundle",
    "--bundle",
    join(CORPUS, bundle),
    ...(key === undefined
      ? ["--certificate-identity", san, "--certificate-oidc-issuer", issuer]
      : ["--key", join(CORPUS, key)]),
    // Without its own root a case is verified under production's, which the client must hold itself.
    ...(one.conformance?.ownTrustedRoot ? ["--trusted-root", join(CORPUS, trustedRoot)] : []),
  ];
  const { id, expected } = one;
  return [
    { name: `${id} by path`, expected, args: [...args, path] },
    { name: `${id} by digest`, expected, args: [...args, sha256(readFileSync(path))] },
  ];
}

describe("Sigstore's conformance suite", { skip: isHere ? false : "../shared/corpus is not here" }, () => {
  test("gives the verdict of every case, by path and by digest", async () => {
    assert.ok(calls.length >= 92, `${calls.length} calls`);
    const wrong: string[] = [];
    for (const { name, expected, args } of calls) {
      const { terminal, written } = recordedTerminal();
      const status = await conform(args, terminal, Date.now());
      // A rejection is one for what is wrong with the evidence or a root, and never for a call that was not understood.
      const isCall = /^error: Call:/m.test(written.stderr);
      if ((status === EXIT.ok) !== (expected === "verified") || isCall) {
        wrong.push(`${name}: ${status}\n${written.stdout}${written.stderr}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  for (const verdict of ["verified", "rejected"] as const) {
    test(`as a process ends with the status of ${verdict}`, () => {
      const some = calls.filter(({ expected }) => expected === verdict).slice(0, 4);
      assert.equal(some.length, 4);
      for (const { name, args } of some) {
        const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8" });
        assert.equal(status === 0, verdict === "verified", `${name}: ${status} ${stderr}`);
      }
    });
  }

  test("is called by its npm script with paths of the folder that it is called in", () => {
    const call = calls.find(({ expected, name }) => expected === "verified" && name.endsWith("by path"));
    const relative = call?.args.map((arg) => (arg.startsWith(CORPUS) ? arg.slice(CORPUS.length) : arg)) ?? [];
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...relative], {
      encoding: "utf8",
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
      env: { ...process.env, npm_lifecycle_event: "conformance", INIT_CWD: CORPUS },
    });
    assert.equal(status, 0, `${stdout}${stderr}`);
  });
});

test("a call that is not one of the suite's is refused with the calls that are", async () => {
  for (const args of [
    [],
    ["sign-bundle"],
    ["verify-bundle", "--staging", "a.txt"],
    ["verify-bundle", "a.txt"],
  ]) {
    const { terminal, written } = recordedTerminal();
    assert.equal(await conform(args, terminal, 0), EXIT.usage);
    assert.match(written.stderr, /^error: /);
  }
});
