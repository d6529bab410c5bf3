import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createTrust } from "../../src/trust/snapshot.ts";
import { embeddedPublicGood, readTrustFiles } from "../../src/trust/sources.ts";

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "trust-sources-"));
});
after(() => rm(directory, { recursive: true }));

test("the embedded public-good root loads without a network", async () => {
  const { instances } = createTrust({ sigstore: [await embeddedPublicGood()], keys: [] });
  assert.equal(instances[0]?.name, "public-good");
  assert.ok((instances[0]?.certificateAuthorities.length ?? 0) > 0);
  assert.ok((instances[0]?.logs.length ?? 0) > 0);
});

test("trusted roots and keys are read from files and named by them", async () => {
  const root = join(directory, "staging.json");
  const key = join(directory, "release.pem");
  const { trustedRoot } = await embeddedPublicGood();
  await writeFile(root, JSON.stringify(trustedRoot));
  await writeFile(key, generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }));
  const trust = createTrust(await readTrustFiles({ trustedRoots: [root], keys: [key] }));
  assert.equal(trust.instances[0]?.name, "staging");
  assert.equal(trust.keys[0]?.name, "release");
});

test("a file that is missing or no JSON is refused", async () => {
  const broken = join(directory, "broken.json");
  await writeFile(broken, "{");
  for (const path of [broken, join(directory, "missing.json")]) {
    await assert.rejects(readTrustFiles({ trustedRoots: [path], keys: [] }), { code: "invalid-trust" });
  }
});
