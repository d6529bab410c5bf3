import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { embeddedPublicGood } from "../../src/trust/embedded.ts";
import { addToTrust, readTrustFile } from "../../src/trust/files.ts";
import { createTrust } from "../../src/trust/snapshot.ts";
import { issue, pemOf } from "./certificates.ts";

const CORPUS = new URL("../../../shared/corpus/_trust/", import.meta.url).pathname;
const skip = existsSync(CORPUS) ? false : "there is no ../shared/corpus beside this repository";

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "trust-files-"));
});
after(() => rm(directory, { recursive: true }));

async function file(name: string, content: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}
const { trustedRoot } = embeddedPublicGood();
const publicKey = () =>
  generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString();

test("a file is taken for what it is, and named by its name", async () => {
  const root = issue("root");
  const parts = await Promise.all(
    [
      await file("staging.json", JSON.stringify(trustedRoot, null, 2)),
      await file("release.pem", publicKey()),
      await file("step-ca.crt", pemOf(issue("issuing", { issuer: root }), root)),
    ].map((path) => readTrustFile(path)),
  );
  const trust = createTrust(addToTrust({ sigstore: [], keys: [] }, parts));
  assert.equal(trust.instances[0]?.name, "staging");
  assert.equal(trust.keys[0]?.name, "release");
  assert.equal(trust.x509[0]?.name, "step-ca");
  assert.deepEqual(trust.x509[0]?.uses, new Set(["attestations"]));
});

test("several trusted roots, a line each, are named by who issues their certificates", async () => {
  const [authority] = trustedRoot.certificateAuthorities as unknown as [{ uri: string }];
  const { uri: _, ...nameless } = authority;
  const roots = [authority, { ...authority, uri: "fulcio.githubapp.com" }, nameless].map((one) =>
    JSON.stringify({ ...trustedRoot, certificateAuthorities: [one] }),
  );
  const { sigstore } = await readTrustFile(await file("roots.jsonl", roots.join("\n")));
  assert.deepEqual(
    sigstore.map(({ name }) => name),
    ["fulcio.sigstore.dev", "fulcio.githubapp.com", "roots-3"],
  );
});

test("an npm registry's keys count for what it publishes, those for attestations alone", {
  skip,
}, async () => {
  const { keys } = createTrust(await readTrustFile(join(CORPUS, "npm-keys.json")));
  assert.deepEqual(
    keys.map(({ keyId, validFor, predicateTypes }) => ({
      keyId,
      start: new Date(validFor.start).getUTCFullYear(),
      types: predicateTypes?.size,
    })),
    [
      { keyId: "SHA256:jl3bwswu80PjjokCgh0o2w5c2U4LhQAE57gj9cz1kzA", start: 2022, types: 1 },
      { keyId: "SHA256:DhQ8wR5APBvFHLF/+Tc+AYvPOdTpcIDqOhxsBHRwC7U", start: 2025, types: 1 },
    ],
  );
});

test("a registry's own answer is read too", async () => {
  const key = publicKey().replace(/-----[^-]*-----|\n/g, "");
  const answered = { keyid: "SHA256:a", keytype: "ecdsa-sha2-nistp256", scheme: "ecdsa-sha2-nistp256", key };
  const keys = [
    { ...answered, expires: "2025-01-29T00:00:00.000Z" },
    { ...answered, keyid: "SHA256:b", key: publicKey().replace(/-----[^-]*-----|\n/g, ""), expires: null },
  ];
  const trust = createTrust(await readTrustFile(await file("keys.json", JSON.stringify({ keys }))));
  assert.deepEqual(
    trust.keys.map(({ validFor }) => validFor.end < Date.parse("2100-01-01T00:00:00Z")),
    [true, false],
  );
});

test("a file that is missing, no JSON, or nothing to be trusted is refused", async () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const refused = [
    join(directory, "missing.json"),
    await file("broken.json", "{"),
    await file("private.pem", privateKey.export({ type: "pkcs8", format: "pem" }).toString()),
    await file("signatures.json", JSON.stringify({ keys: [{ keyUsage: "npm:signatures", keyId: "a" }] })),
    await file("array.json", "[]"),
    "/dev/zero",
  ];
  for (const path of refused) await assert.rejects(readTrustFile(path), { code: "invalid-trust" }, path);
});

test("a file in another form is told which are taken", async () => {
  const { publicKey } = generateKeyPairSync("ed25519");
  const der = join(directory, "key.der");
  await writeFile(der, publicKey.export({ type: "spki", format: "der" }));
  for (const path of [der, await file("notes.txt", "the key is below"), await file("empty.json", "")])
    await assert.rejects(readTrustFile(path), { code: "invalid-trust", message: /is neither PEM nor JSON/ });
  await assert.rejects(readTrustFile(await file("cut.json", " {")), { message: /is not strict JSON/ });
});

test("a part takes the place of its namesake, and asks for no less than was asked for there", () => {
  const [first, second] = [
    { name: "one", publicKey: publicKey(), thresholds: { timestamps: 1 } },
    { name: "two", publicKey: publicKey() },
  ];
  const instance = { name: "root", trustedRoot };
  const before = { sigstore: [instance], keys: [first, second] };
  const renewed = { name: "one", publicKey: publicKey() };
  const added = { name: "three", publicKey: publicKey() };
  assert.deepEqual(addToTrust(before, [{ sigstore: [], keys: [added, renewed] }]), {
    sigstore: [instance],
    keys: [{ ...renewed, thresholds: { timestamps: 1 } }, second, added],
  });
  const two = { sigstore: [instance], keys: [] };
  assert.throws(() => addToTrust(before, [two, two]), { code: "invalid-trust" });
});
