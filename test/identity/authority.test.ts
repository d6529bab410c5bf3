import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { TAG } from "../../src/der/reader.ts";
import { der, sequence } from "../../src/der/writer.ts";
import { type Authority, assertInForce } from "../../src/identity/authority.ts";
import {
  type AuthorityFiles,
  givenAuthorityKeys,
  ownAuthorityKeys,
} from "../../src/identity/authority-files.ts";
import { bundleOf } from "../../src/identity/believed-authorities.ts";
import {
  AUTHORITY_EXTENSIONS,
  authorityKeyIdentifier,
  keyIdentifierOf,
  subjectKeyIdentifier,
} from "../../src/identity/certificate-extensions.ts";
import {
  type CertificateContent,
  criticalExtension,
  time,
  writeCertificate,
} from "../../src/identity/certificate-writer.ts";
import { createJwtMinter, validateJwtSvid } from "../../src/identity/jwt-svid.ts";
import { writeRootCertificate } from "../../src/identity/root-certificate.ts";
import { parseTrustDomain, spiffeId } from "../../src/identity/spiffe-id.ts";
import { createX509Minter, serialFrom } from "../../src/identity/x509-svid.ts";
import { validateX509Svid } from "../../src/identity/x509-validation.ts";
import { parseCertificate } from "../../src/x509/certificate.ts";
import { EXTENSION } from "../../src/x509/oids.ts";
import { writePem } from "../../src/x509/pem.ts";
import { x509Signer } from "../../src/x509/signatures.ts";
import { writeAuthorityFiles } from "../support/authority-files.ts";
import { openssl } from "./openssl.ts";
import { commonName, p256, type RequestingKey } from "./signing-requests.ts";
import { GROUNDS, MINUTE } from "./trust-domain.ts";

const now = Date.now();
const YEAR = 365 * 24 * 60 * MINUTE;
const trustDomain = parseTrustDomain("example.org");
const ID = spiffeId(trustDomain, "/widget");
const refused = { name: "VouchsafeError", code: "configuration-invalid" };

let directory: string;
let dataDir: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-authority-"));
  dataDir = join(directory, "data");
});
after(() => rm(directory, { recursive: true }));

const keysIn = (passphrase?: string, domain = trustDomain) =>
  ownAuthorityKeys(dataDir, { trustDomain: domain, passphrase, life: YEAR });

describe("the authorities that a node makes for itself", () => {
  test("nobody else may read, and they last as long as is asked for", async () => {
    const keys = keysIn();
    assert.deepEqual(await keys.read(), []);
    await keys.make(now);
    assert.deepEqual(await readdir(dataDir), ["authority-1.pem"]);
    assert.equal((await stat(join(dataDir, "authority-1.pem"))).mode & 0o777, 0o600);
    const [made] = await keys.read();
    assert.ok(made);
    assert.equal(made.until, Math.floor((now + YEAR) / 1000) * 1000);
    assert.deepEqual(made.chain, []);
    await assertIssues(made);
    assert.equal((await keysIn().read())[0]?.id, made.id);
  });

  test("are numbered, and of two that make the next at once, both have the one", async () => {
    await Promise.all([keysIn().make(now), keysIn().make(now)]);
    const keys = keysIn();
    const [first, second, ...others] = await keys.read();
    assert.ok(first && second);
    assert.equal(others.length, 0);
    await keys.forget(first);
    assert.deepEqual(await readdir(dataDir), ["authority-2.pem"]);
    assert.deepEqual(
      (await keys.read()).map(({ id }) => id),
      [second.id],
    );
  });

  test("are encrypted as soon as there is a passphrase, and open with no other", async () => {
    const [plain] = await keysIn().read();
    const passphrase = "correct horse battery staple";
    const [encrypted] = await keysIn(passphrase).read();
    assert.equal(encrypted?.id, plain?.id);
    await keysIn(passphrase).make(now);
    for (const name of await readdir(dataDir)) {
      const text = await readFile(join(dataDir, name), "utf8");
      assert.equal(text.match(/BEGIN ENCRYPTED PRIVATE KEY/g)?.length, 2);
      assert.doesNotMatch(text, /BEGIN PRIVATE KEY/);
    }
    for (const authority of await keysIn(passphrase).read()) await assertIssues(authority);
    await assert.rejects(keysIn("correct horse battery stapler").read(), refused);
    await assert.rejects(keysIn().read(), refused);
  });

  test("are of one trust domain", async () => {
    const passphrase = "correct horse battery staple";
    await assert.rejects(keysIn(passphrase, parseTrustDomain("example.com")).read(), refused);
  });

  test("an earlier version's two files are one; one of them alone is none", async () => {
    const earlier = join(directory, "earlier");
    await writeAuthorityFiles(earlier);
    const domain = parseTrustDomain("vouchsafe.local");
    const keys = ownAuthorityKeys(earlier, { trustDomain: domain, passphrase: undefined, life: YEAR });
    const [authority, ...others] = await keys.read();
    assert.ok(authority && others.length === 0);
    await rm(join(earlier, "jwt-authority.pem"));
    assert.deepEqual(await keys.read(), []);
  });
});

const root = p256();
const issuing = p256();
const rootCertificate = writeRootCertificate({
  trustDomain,
  key: root.key,
  serial: serialFrom(randomBytes(16)),
  now,
  life: 10 * YEAR,
});

function issuingCertificate(changes: Partial<CertificateContent> = {}, by: RequestingKey = root): Buffer {
  const signer = x509Signer(by.key);
  const issuer = parseCertificate(rootCertificate).subject;
  assert.ok(signer);
  return writeCertificate(
    {
      serial: Buffer.of(1),
      issuer,
      subject: commonName("issuing"),
      notBefore: time(now - MINUTE),
      notAfter: time(now + YEAR),
      spki: issuing.spki,
      extensions: [
        ...AUTHORITY_EXTENSIONS,
        subjectKeyIdentifier(keyIdentifierOf(issuing.spki)),
        authorityKeyIdentifier(keyIdentifierOf(root.spki)),
      ],
      ...changes,
    },
    signer,
  );
}

/** The root of the same name and key, which allows no authority below it. */
function shallowRoot(): Buffer {
  const none = sequence(der(TAG.boolean, Buffer.of(0xff)), der(TAG.integer, Buffer.of(0)));
  const { subject } = parseCertificate(rootCertificate);
  const extensions = [
    ...AUTHORITY_EXTENSIONS.slice(0, 1),
    criticalExtension(EXTENSION.basicConstraints, none),
    subjectKeyIdentifier(keyIdentifierOf(root.spki)),
  ];
  return issuingCertificate({ subject, spki: root.spki, extensions });
}

test("it may be given: an issuing authority, its chain and its keys", async () => {
  const files = await given([issuingCertificate(), rootCertificate], issuing.key);
  const [authority] = await givenAuthorityKeys([files], { trustDomain, passphrase: undefined }).read();
  assert.ok(authority);
  assert.equal(authority.chain.length, 1);
  await assertIssues(authority);
  assert.equal(authority.until, parseCertificate(issuingCertificate()).notAfter);
  assert.equal(authority.root.notAfter, parseCertificate(rootCertificate).notAfter);
  const certificates = await readFile(files.certificates, "utf8");
  await writeFile(files.certificates, certificates + (await readFile(files.key, "utf8")));
  await assertIssues(await open({ ...files, key: files.certificates }));
  // Of several, one may have ended whose files nobody has taken out yet.
  assertInForce([{ ...authority, until: now - 1 }, authority], now);
});

test("openssl verifies what an authority under a root issues", { skip: openssl.skip }, async () => {
  const files = await given([issuingCertificate(), rootCertificate], issuing.key);
  const authority = await open(files);
  const times = { notBefore: now, notAfter: now + MINUTE };
  const request = { spki: p256().spki, spiffeId: ID, serial: serialFrom(randomBytes(16)), ...times };
  const svid = await createX509Minter(authority)(request);
  const [root, leaf] = [join(directory, "root.pem"), join(directory, "leaf.pem")];
  await writeFile(root, writePem("CERTIFICATE", authority.root.der));
  await writeFile(leaf, writePem("CERTIFICATE", svid));
  const args = ["verify", "-x509_strict", "-CAfile", root, "-untrusted", files.certificates, leaf];
  assert.equal(execFileSync("openssl", args, { encoding: "utf8" }).trim(), `${leaf}: OK`);
});

describe("files that are refused", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const leafExtensions = AUTHORITY_EXTENSIONS.slice(1);
  const cases: [name: string, certificates: Uint8Array[], key?: KeyObject, jwtKey?: KeyObject][] = [
    ["no certificate", []],
    ["another key", [issuingCertificate(), rootCertificate], root.key],
    ["a key of another kind", [issuingCertificate(), rootCertificate], rsa],
    ["a chain without its root", [issuingCertificate()]],
    ["a chain in the wrong order", [rootCertificate, issuingCertificate()], root.key],
    // Nobody would believe an SVID below it.
    ["a chain that is longer than its root allows", [issuingCertificate(), shallowRoot()]],
    ["a chain that another key signed", [issuingCertificate({}, issuing), rootCertificate]],
    [
      "a certificate that may not sign certificates",
      [issuingCertificate({ extensions: leafExtensions }), rootCertificate],
    ],
    [
      "a certificate that does not identify its key",
      [issuingCertificate({ extensions: AUTHORITY_EXTENSIONS }), rootCertificate],
    ],
    [
      "a certificate that has expired",
      [issuingCertificate({ notAfter: time(now - 30_000) }), rootCertificate],
    ],
    ["a certificate that is none", [Buffer.from("root")]],
    [
      "a JWT key on another curve",
      [issuingCertificate(), rootCertificate],
      issuing.key,
      generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
    ],
    [
      "a JWT key of another kind",
      [issuingCertificate(), rootCertificate],
      issuing.key,
      generateKeyPairSync("ed25519").privateKey,
    ],
    [
      "a weak JWT key",
      [issuingCertificate(), rootCertificate],
      issuing.key,
      generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey,
    ],
  ];
  for (const [name, certificates, key = issuing.key, jwtKey] of cases) {
    test(name, async () => {
      const files = await given(certificates, key, jwtKey);
      await assert.rejects(open(files), refused);
    });
  }

  test("files that are not there, or hold no key, and their contents are in no error", async () => {
    const files = await given([issuingCertificate(), rootCertificate], issuing.key);
    await assert.rejects(open({ ...files, key: join(directory, "no") }), refused);
    const secret = (await readFile(files.key, "utf8")).split("\n")[1] ?? "";
    for (const text of [
      "",
      "no PEM",
      `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`,
    ]) {
      await writeFile(files.key, text);
      await assert.rejects(open(files), (error: Error) => {
        assert.ok(!`${error.stack}${(error.cause as Error | undefined)?.stack}`.includes(secret));
        return "code" in error && error.code === "configuration-invalid";
      });
    }
  });
});

async function open(files: AuthorityFiles): Promise<Authority> {
  const read = await givenAuthorityKeys([files], { trustDomain, passphrase: undefined }).read();
  assertInForce(read, now);
  const [authority] = read;
  assert.ok(authority);
  return authority;
}

async function assertIssues(authority: Authority): Promise<void> {
  const bundle = bundleOf(trustDomain, [{ ...authority, jwtPublicKey: authority.jwtKey.publicKey }]);
  const times = { notBefore: now, notAfter: now + MINUTE };
  const serial = serialFrom(randomBytes(16));
  const svid = await createX509Minter(authority)({
    spki: p256().spki,
    spiffeId: ID,
    serial,
    ...times,
    grounds: GROUNDS,
  });
  assert.equal(validateX509Svid([svid, ...authority.chain], bundle, now).spiffeId, ID);
  const jwt = { audiences: ["a"], issuedAt: now, expiresAt: now + MINUTE, jti: "a", grounds: GROUNDS };
  const token = await createJwtMinter(authority)({ spiffeId: ID, ...jwt });
  assert.equal(validateJwtSvid(token, bundle, "a", now).spiffeId, ID);
}

async function given(certificates: readonly Uint8Array[], key: KeyObject, jwtKey = p256().key) {
  const folder = await mkdtemp(join(directory, "given-"));
  const files = {
    certificates: join(folder, "chain.pem"),
    key: join(folder, "key.pem"),
    jwtKey: join(folder, "jwt.pem"),
  };
  await writeFile(files.certificates, certificates.map((one) => writePem("CERTIFICATE", one)).join(""));
  await writeFile(files.key, key.export({ format: "pem", type: "pkcs8" }));
  await writeFile(files.jwtKey, jwtKey.export({ format: "pem", type: "pkcs8" }));
  return files;
}
