import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Authority, openAuthority } from "../../src/identity/authority.ts";
import { bundleOf } from "../../src/identity/believed-authorities.ts";
import {
  AUTHORITY_EXTENSIONS,
  keyIdentifierOf,
  subjectKeyIdentifier,
} from "../../src/identity/certificate-extensions.ts";
import { type CertificateContent, time, writeCertificate } from "../../src/identity/certificate-writer.ts";
import { createJwtMinter, validateJwtSvid } from "../../src/identity/jwt-svid.ts";
import { writeRootCertificate } from "../../src/identity/root-certificate.ts";
import { parseTrustDomain, spiffeId } from "../../src/identity/spiffe-id.ts";
import { createX509Minter, serialFrom } from "../../src/identity/x509-svid.ts";
import { validateX509Svid } from "../../src/identity/x509-validation.ts";
import { parseCertificate } from "../../src/x509/certificate.ts";
import { writePem } from "../../src/x509/pem.ts";
import { x509Signer } from "../../src/x509/signatures.ts";
import { commonName, p256, type RequestingKey } from "./signing-requests.ts";
import { GROUNDS, MINUTE } from "./trust-domain.ts";

const now = Date.now();
const clock = () => now;
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

test("on its first start it makes a root and keys that nobody else may read, and keeps them", async () => {
  const made = await openAuthority({ trustDomain, dataDir, clock });
  assert.deepEqual((await readdir(dataDir)).sort(), ["jwt-authority.pem", "x509-authority.pem"]);
  for (const name of await readdir(dataDir))
    assert.equal((await stat(join(dataDir, name))).mode & 0o777, 0o600);
  assert.ok(made.caCertificate.notAfter > now + 9.9 * YEAR);
  assert.deepEqual(made.chain, []);

  const again = await openAuthority({ trustDomain, dataDir, clock: () => now + YEAR });
  assert.deepEqual(again.caCertificate.der, made.caCertificate.der);
  assert.equal(again.jwtKeyId, made.jwtKeyId);
  await assertIssues(again);
});

test("of two that start at once, both have the one authority", async () => {
  const options = { trustDomain, dataDir: join(directory, "race"), clock };
  const [one, two] = await Promise.all([openAuthority(options), openAuthority(options)]);
  assert.deepEqual(one.caCertificate.der, two.caCertificate.der);
  assert.equal(one.jwtKeyId, two.jwtKeyId);
});

test("it is of one trust domain, and lasts as long as its root", async () => {
  const elsewhere = parseTrustDomain("example.com");
  await assert.rejects(openAuthority({ trustDomain: elsewhere, dataDir, clock }), refused);
  await assert.rejects(openAuthority({ trustDomain, dataDir, clock: () => now + 11 * YEAR }), refused);
  await assert.rejects(openAuthority({ trustDomain, dataDir, clock: () => now - YEAR }), refused);
});

const root = p256();
const issuing = p256();
const rootCertificate = writeRootCertificate({
  trustDomain,
  key: root.key,
  serial: serialFrom(randomBytes(16)),
  now,
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
      extensions: [...AUTHORITY_EXTENSIONS, subjectKeyIdentifier(keyIdentifierOf(issuing.spki))],
      ...changes,
    },
    signer,
  );
}

test("it may be given: an issuing authority, its chain and its keys", async () => {
  const files = await given([issuingCertificate(), rootCertificate], issuing.key);
  const authority = await openAuthority({ trustDomain, dataDir: join(directory, "unused"), files, clock });
  assert.equal(authority.chain.length, 1);
  await assertIssues(authority);
  await assert.rejects(stat(join(directory, "unused")));

  const certificates = await readFile(files.certificates, "utf8");
  await writeFile(files.certificates, certificates + (await readFile(files.key, "utf8")));
  await assertIssues(
    await openAuthority({ trustDomain, dataDir, files: { ...files, key: files.certificates }, clock }),
  );
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
      await assert.rejects(openAuthority({ trustDomain, dataDir, files, clock }), refused);
    });
  }

  test("files that are not there, or hold no key, and their contents are in no error", async () => {
    const files = await given([issuingCertificate(), rootCertificate], issuing.key);
    await assert.rejects(
      openAuthority({ trustDomain, dataDir, files: { ...files, key: join(directory, "no") }, clock }),
      refused,
    );
    const secret = (await readFile(files.key, "utf8")).split("\n")[1] ?? "";
    for (const text of [
      "",
      "no PEM",
      `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`,
    ]) {
      await writeFile(files.key, text);
      await assert.rejects(openAuthority({ trustDomain, dataDir, files, clock }), (error: Error) => {
        assert.ok(!`${error.stack}${(error.cause as Error | undefined)?.stack}`.includes(secret));
        return "code" in error && error.code === "configuration-invalid";
      });
    }
  });
});

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
