/**
 * The SLSA project's own verifier on our summaries. It is built anew from the Go module proxy, so only where
 * VOUCHSAFE_INTEROP=1 asks for it.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { issueSummary } from "../../src/services/decisions/issue-summary.ts";
import { pushAttestation } from "../../src/services/evidence/push-attestation.ts";
import { signRelease } from "../http/release.ts";
import { callerWith, openReleaseHouse } from "../services/release-node.ts";
import { skipInterop } from "../support/interop.ts";

const run = promisify(execFile);
const TIMEOUT = 600_000;
const PROGRAM = "github.com/slsa-framework/slsa-verifier/v2/cli/slsa-verifier";
const VERIFIER_ID = "https://vouchsafe.local/log";

const KEYS = {
  ed25519: undefined,
  p256: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  p384: generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
};

test("slsa-verifier takes summaries on every kind of key, and no other than they say", {
  skip: skipInterop("go"),
  timeout: TIMEOUT,
}, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-slsa-verifier-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const program = join(directory, "slsa-verifier");
  const cwd = fileURLToPath(new URL("slsa-verifier", import.meta.url));
  const isBuilt = await run("go", ["build", "-mod=mod", "-o", program, PROGRAM], { cwd }).then(
    () => true,
    () => false,
  );
  if (!isBuilt) return t.skip("slsa-verifier cannot be built here");
  const house = await openReleaseHouse();
  t.after(() => house.close());

  for (const [name, key] of Object.entries(KEYS)) {
    const path = (file: string) => join(directory, `${name}-${file}`);
    if (key !== undefined) await writeFile(path("key"), key.export({ format: "pem", type: "pkcs8" }));
    const node = await house.open(key === undefined ? {} : { VOUCHSAFE_VSA_KEY: path("key") });
    const { digest, bundle } = await signRelease(house.sigstore);
    await pushAttestation(node.v, callerWith(node, ["uploader"]), { bytes: bundle });
    const answer = await issueSummary(node.v, callerWith(node, ["issuer"]), { digest });
    assert.ok(answer.case === "summary");
    await writeFile(path("vsa.json"), answer.envelope);
    await writeFile(path("vsa.pem"), node.v.summaries.key.publicKey);

    const verify = (change: Readonly<Record<string, string>> = {}) => {
      const options = {
        "attestation-path": path("vsa.json"),
        "public-key-path": path("vsa.pem"),
        // It passes over a signature whose key id is not the one that it goes by.
        "public-key-id": node.v.summaries.key.keyId,
        "verifier-id": VERIFIER_ID,
        "resource-uri": digest,
        "subject-digest": digest,
        "verified-level": "SLSA_BUILD_LEVEL_2",
        ...change,
      };
      const args = Object.entries(options).flatMap(([option, value]) => [`--${option}`, value]);
      return run(program, ["verify-vsa", ...args]);
    };
    assert.match((await verify()).stderr, /Verifying VSA: PASSED/);

    const other = generateKeyPairSync("ed25519").publicKey.export({ format: "pem", type: "spki" });
    await writeFile(path("other.pem"), other);
    const wrong: readonly Readonly<Record<string, string>>[] = [
      { "verifier-id": "https://other.example" },
      { "resource-uri": "pkg:npm/other" },
      { "subject-digest": `sha256:${"0".repeat(64)}` },
      { "verified-level": "SLSA_BUILD_LEVEL_4" },
      { "public-key-path": path("other.pem") },
    ];
    for (const change of wrong) await assert.rejects(verify(change), /Verifying VSA: FAILED/);
  }
});
