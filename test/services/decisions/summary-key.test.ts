import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openSummaryKey } from "../../../src/services/decisions/summary-key.ts";

describe("the key of verification summaries", () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-summary-key-"));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  async function written(name: string, key: KeyObject): Promise<string> {
    const path = join(directory, name);
    await writeFile(path, key.export({ format: "pem", type: "pkcs8" }));
    return path;
  }

  test("is made once, for nobody else to read", async () => {
    const first = await openSummaryKey(directory, undefined);
    assert.equal((await openSummaryKey(directory, undefined)).keyId, first.keyId);
    assert.equal((await stat(join(directory, "vsa-key.pem"))).mode & 0o777, 0o600);
    assert.equal(createPublicKey(first.publicKey).asymmetricKeyType, "ed25519");
  });

  test("is encrypted where there is a passphrase, and one that is given is opened by it", async () => {
    const passphrase = "correct horse battery staple";
    const own = join(directory, "own");
    const { keyId } = await openSummaryKey(own, undefined, passphrase);
    const path = join(own, "vsa-key.pem");
    assert.match(await readFile(path, "utf8"), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    assert.equal((await openSummaryKey(directory, path, passphrase)).keyId, keyId);
    await assert.rejects(openSummaryKey(directory, path), { code: "configuration-invalid" });
  });

  const given = [
    { name: "Ed25519", key: generateKeyPairSync("ed25519").privateKey, hash: null },
    { name: "P-256", key: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey, hash: "sha256" },
    { name: "P-384", key: generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey, hash: "sha384" },
  ];
  for (const { name, key, hash } of given) {
    test(`may be given, on ${name}`, async () => {
      const { sign, publicKey } = await openSummaryKey(directory, await written(name, key));
      const bytes = Buffer.from("bytes");
      assert.ok(verify(hash, bytes, publicKey, sign(bytes)));
      assert.ok(createPublicKey(publicKey).equals(createPublicKey(key)));
    });
  }

  const refused = {
    "P-521": generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey,
    RSA: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
    Ed448: generateKeyPairSync("ed448").privateKey,
  };
  for (const [name, key] of Object.entries(refused)) {
    test(`is not taken on ${name}`, async () => {
      const path = await written(name, key);
      await assert.rejects(openSummaryKey(directory, path), { code: "configuration-invalid" });
    });
  }

  test("is not made where one that is named is missing or is no key", async () => {
    const path = join(directory, "none.pem");
    await assert.rejects(openSummaryKey(directory, path), { code: "configuration-invalid" });
    await writeFile(path, "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
    await assert.rejects(openSummaryKey(directory, path), (error: Error) => !error.message.includes("c2Vj"));
  });
});
