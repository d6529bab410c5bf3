import assert from "node:assert/strict";
import { createPublicKey, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import type { Authority } from "../../src/identity/authority.ts";
import { parseCsr } from "../../src/identity/csr.ts";
import { parseTrustDomain, spiffeId } from "../../src/identity/spiffe-id.ts";
import { createX509Minter, serialFrom } from "../../src/identity/x509-svid.ts";
import {
  credentialOf,
  readCredential,
  requireWritable,
  writeCredential,
} from "../../src/workload/agent-credential.ts";
import { newKey, requestFor } from "../../src/workload/key-request.ts";
import { writePem } from "../../src/x509/pem.ts";
import { testAuthority } from "../identity/trust-domain.ts";

const TRUST_DOMAIN = parseTrustDomain("test.example");
/** A certificate's times are in whole seconds. */
const NOW = Math.floor(Date.now() / 1000) * 1000;

let directory: string;
let authority: Authority;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-credential-"));
  authority = testAuthority(TRUST_DOMAIN, NOW);
});
after(() => rm(directory, { recursive: true, force: true }));

/** A key and its certificate, by way of the request that the agent makes. */
async function certified() {
  const key = await newKey();
  const { spki } = parseCsr(requestFor(key, createPublicKey(key)));
  const der = await createX509Minter(authority)({
    spki,
    spiffeId: spiffeId(TRUST_DOMAIN, "/vouchsafe/agent/node-1"),
    serial: serialFrom(randomBytes(16)),
    notBefore: NOW,
    notAfter: NOW + 3_600_000,
    grounds: { digests: [], policies: [], verdicts: [] },
  });
  return { key, chain: [der] };
}

test("the key may stand before or behind the certificates, and is one", async () => {
  const { key, chain } = await certified();
  const path = join(directory, "node.pem");
  const keyPem = key.export({ format: "pem", type: "pkcs8" });
  const certificates = chain.map((der) => writePem("CERTIFICATE", der)).join("");
  for (const text of [`${keyPem}${certificates}`, `${certificates}${keyPem}`]) {
    await writeFile(path, text);
    assert.ok((await readCredential(path))?.key.equals(key));
  }
  for (const text of [certificates, `${keyPem}${certificates}${keyPem}`]) {
    await writeFile(path, text);
    await assert.rejects(readCredential(path), { code: "configuration-invalid" });
  }
});

test("a credential is read as it was written, by its owner alone, and takes the place of the last", async () => {
  const path = join(directory, "agent", "agent.pem");
  assert.equal(await readCredential(path), undefined);
  for (let time = 0; time < 2; time += 1) {
    const { key, chain } = await certified();
    const written = credentialOf(chain, key);
    await writeCredential(path, written);
    const read = await readCredential(path);
    assert.ok(read);
    assert.ok(read.key.equals(key));
    assert.deepEqual({ ...read, key: null }, { ...written, key: null });
    assert.equal(read.expiresAt, NOW + 3_600_000);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  }
  assert.deepEqual(await readdir(join(directory, "agent")), ["agent.pem"]);
});

test("a draft that a crash left is gone with the next, and is not what is read", async () => {
  const path = join(directory, "crashed", "agent.pem");
  await mkdir(dirname(path));
  await writeFile(`${path}.draft`, "-----BEGIN PRIVATE");
  assert.equal(await readCredential(path), undefined);
  const { key, chain } = await certified();
  await writeCredential(path, credentialOf(chain, key));
  assert.ok((await readCredential(path))?.key.equals(key));
  assert.deepEqual(await readdir(dirname(path)), ["agent.pem"]);
});

test("where it could not be written is known beforehand, and nothing is left of finding out", async () => {
  const path = join(directory, "new", "agent", "agent.pem");
  await requireWritable(path);
  assert.deepEqual(await readdir(dirname(path)), []);
  assert.equal((await stat(dirname(path))).mode & 0o777, 0o700);

  const file = join(directory, "file");
  await writeFile(file, "");
  // Not even root can make files in /proc.
  for (const dataDir of [file, join(file, "below"), "/proc/self"]) {
    const path = join(dataDir, "agent.pem");
    assert.equal(await readCredential(path), undefined);
    await assert.rejects(requireWritable(path), { code: "configuration-invalid", message: /cannot be kept/ });
  }
});

test("a key that is not the certificate's is refused", async () => {
  const { chain } = await certified();
  const stranger = await newKey();
  assert.throws(() => credentialOf(chain, stranger), { code: "configuration-invalid" });
});

test("a file that holds no credential is refused and not overwritten", async () => {
  const path = join(directory, "broken.pem");
  for (const text of ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]) {
    await writeFile(path, text);
    await assert.rejects(readCredential(path), { code: "configuration-invalid" });
    assert.equal(await readFile(path, "utf8"), text);
  }
});
