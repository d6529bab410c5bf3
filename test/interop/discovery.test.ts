/**
 * What cosign and oras attach to images in a registry of go-containerregistry is discovered and verified. All are built
 * from the Go module proxy, so only where VOUCHSAFE_INTEROP=1 asks for it; cosign alone takes minutes the first time.
 */

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { vouchsafe } from "../cli/vouchsafe.ts";
import { endWithParent } from "../support/child.ts";
import { skipInterop } from "../support/interop.ts";

const run = promisify(execFile);
const TIMEOUT = 1_500_000;
const COSIGN = "github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3";
const ORAS = "oras.land/oras/cmd/oras@v1.3.6";
const PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1";
/** Neither log nor timestamp authority, which are on the internet. */
const SIGNING_CONFIG = { mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json" };

async function isBuilt(directory: string): Promise<boolean> {
  const cwd = fileURLToPath(new URL("registry", import.meta.url));
  const env = { ...process.env, GOBIN: directory };
  try {
    await run("go", ["build", "-o", join(directory, "registry"), "."], { cwd });
    for (const program of [ORAS, COSIGN]) await run("go", ["install", program], { env, maxBuffer: 1e8 });
    return true;
  } catch {
    return false;
  }
}

async function startRegistry(t: TestContext, program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  endWithParent(child);
  t.after(() => child.kill());
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  return line.trim();
}

describe("what cosign and oras attach", { skip: skipInterop("go"), timeout: TIMEOUT }, () => {
  test("is discovered by referrers, by the tag in their place, and by cosign's tag", {
    timeout: TIMEOUT,
  }, async (t) => {
    const cwd = await mkdtemp(join(tmpdir(), "vouchsafe-discovery-"));
    t.after(() => rm(cwd, { recursive: true, force: true }));
    if (!(await isBuilt(cwd))) return t.skip("cosign, oras and a registry cannot be built here");
    const env = { ...process.env, HOME: cwd, COSIGN_PASSWORD: "", DOCKER_CONFIG: cwd };
    const cosign = (...args: string[]) => run(join(cwd, "cosign"), args, { cwd, env });
    const oras = (...args: string[]) => run(join(cwd, "oras"), args, { cwd, env });
    await writeFile(join(cwd, "signing.json"), JSON.stringify(SIGNING_CONFIG));
    await writeFile(join(cwd, "predicate.json"), JSON.stringify({ result: "PASSED", configuration: [] }));
    await writeFile(join(cwd, "widget.txt"), "a widget");
    await cosign("generate-key-pair");

    for (const api of [["referrers"], []]) {
      const host = await startRegistry(t, join(cwd, "registry"), api);
      const image = `${host}/acme/widget`;
      const pushed = await oras(
        "push",
        "--plain-http",
        "--format",
        "json",
        `${image}:v1`,
        "widget.txt:text/plain",
      );
      const { digest } = JSON.parse(pushed.stdout);
      const attest = [
        "attest",
        "--yes",
        "--key",
        "cosign.key",
        "--type",
        PREDICATE_TYPE,
        "--predicate",
        "predicate.json",
      ];
      await cosign(...attest, "--signing-config", "signing.json", `${image}@${digest}`);
      const old = ["--new-bundle-format=false", "--tlog-upload=false", "--use-signing-config=false"];
      await cosign(...attest, ...old, `${image}@${digest}`);

      const output = `found-${api.length}`;
      const found = await vouchsafe(["discover", `oci://${image}:v1`, "--output", output], { cwd });
      assert.equal(found.status, 0, found.stderr);
      const files = (await readdir(join(cwd, output))).filter((name) => name.endsWith(".attestation.json"));
      const types: string[] = [];
      for (const file of files) {
        types.push(JSON.parse(await readFile(join(cwd, output, file), "utf8")).mediaType);
        const verified = await vouchsafe(
          [
            "verify",
            digest,
            "--bundle",
            join(output, file),
            "--key",
            "cosign.pub",
            "--predicate-type",
            PREDICATE_TYPE,
          ],
          { cwd },
        );
        assert.equal(verified.status, 0, verified.stdout + verified.stderr);
      }
      assert.deepEqual(types.toSorted(), [
        "application/vnd.dev.sigstore.bundle.v0.3+json",
        "application/vnd.dsse.envelope.v1+json",
      ]);

      // The same bundle by another client's hand, beside what is no evidence.
      const [bundle = ""] = files.filter((_, i) => types[i]?.includes("bundle"));
      const to = `${host}/acme/widget@${digest}`;
      const attach = (type: string, file: string) =>
        oras("attach", "--plain-http", "--artifact-type", type, to, `${file}:${type}`);
      await attach("application/spdx+json", "predicate.json");
      await attach("application/vnd.in-toto+json", `${output}/${bundle}`);
      const again = await vouchsafe(
        ["--json", "discover", `oci://${image}:v1`, "--output", `${output}-again`],
        { cwd },
      );
      const [{ files: all }] = JSON.parse(again.stdout).sources;
      assert.equal(all.length, 3, "the manifest, and each piece once");
    }
  });
});
