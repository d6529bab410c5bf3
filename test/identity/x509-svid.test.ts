import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { DerError } from "../../src/der/reader.ts";
import { parseSpiffeId, spiffeId } from "../../src/identity/spiffe-id.ts";
import { decodeGrounds, encodeGrounds } from "../../src/identity/svid-extension.ts";
import { createX509Minter, serialFrom } from "../../src/identity/x509-svid.ts";
import { parseX509Svid, validateX509Svid } from "../../src/identity/x509-validation.ts";
import { sha256 } from "../../src/in-toto-attestation/index.ts";
import { writePem } from "../../src/x509/pem.ts";
import fc from "../support/fc.ts";
import { openssl } from "./openssl.ts";
import { p256 } from "./signing-requests.ts";
import { GROUNDS, MINUTE, testAuthority } from "./trust-domain.ts";

const now = Date.now();
const authority = testAuthority("example.org", now);
const mint = createX509Minter(authority);
const { key, spki } = p256();
const ID = parseSpiffeId("spiffe://example.org/widget/server");
const serial = serialFrom(randomBytes(16));
const times = { notBefore: now, notAfter: now + 10 * MINUTE };
const svid = await mint({ spki, spiffeId: ID, serial, ...times, grounds: GROUNDS });

test("an SVID says what was asked for, and validates under its bundle", () => {
  const read = validateX509Svid([svid], authority.bundle, now);
  assert.equal(read.spiffeId, ID);
  assert.deepEqual(read.grounds, GROUNDS);
  assert.equal(read.leaf.serial, Buffer.from(serial).toString("hex"));
  assert.equal(read.leaf.notBefore, Math.floor(now / 1000) * 1000);
  assert.equal(read.leaf.notAfter, Math.floor(times.notAfter / 1000) * 1000);
  assert.ok(spki.equals(read.leaf.spki));
});

test("node:crypto reads it as a leaf for TLS, both ways", () => {
  const certificate = new X509Certificate(svid);
  const root = new X509Certificate(authority.caCertificate.der);
  assert.equal(certificate.subject, undefined);
  assert.equal(certificate.subjectAltName, `URI:${ID}`);
  assert.equal(certificate.ca, false);
  assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  assert.equal(certificate.serialNumber.toLowerCase(), Buffer.from(serial).toString("hex"));
  assert.ok(
    certificate.checkIssued(root) && certificate.verify(root.publicKey) && certificate.checkPrivateKey(key),
  );
});

test("an agent's SVID carries no grounds", async () => {
  const agent = await mint({ spki, spiffeId: ID, serial, ...times });
  assert.equal(Object.hasOwn(parseX509Svid([agent]), "grounds"), false);
});

test("an SVID never outlives its authority", async () => {
  const notAfter = authority.caCertificate.notAfter + 1000;
  await assert.rejects(mint({ spki, spiffeId: ID, serial, notBefore: now, notAfter }), {
    code: "unavailable",
  });
});

test("times from 2050 on are written as X.509 asks", async () => {
  const late = testAuthority("example.org", Date.UTC(2048));
  const notAfter = Date.UTC(2051, 1, 28, 23, 59, 59);
  const certificate = await createX509Minter(late)({
    spki,
    spiffeId: ID,
    serial,
    notBefore: Date.UTC(2049),
    notAfter,
  });
  assert.equal(parseX509Svid([certificate]).leaf.notAfter, notAfter);
  assert.equal(new X509Certificate(certificate).validToDate.getTime(), notAfter);
});

test("a serial number is positive and has 16 bytes, whatever the random bytes", async () => {
  for (const random of [Buffer.alloc(16), Buffer.alloc(16, 0xff)]) {
    const certificate = await mint({ spki, spiffeId: ID, serial: serialFrom(random), ...times });
    assert.equal(parseX509Svid([certificate]).leaf.serial.length, 32);
    assert.match(parseX509Svid([certificate]).leaf.serial, /^[4-7]/);
  }
});

test("openssl verifies the chain, and prints the name and the grounds", { skip: openssl.skip }, (t) => {
  const directory = mkdtempSync(join(tmpdir(), "vouchsafe-svid-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const [root, leaf] = [join(directory, "root.pem"), join(directory, "leaf.pem")];
  writeFileSync(root, writePem("CERTIFICATE", authority.caCertificate.der));
  writeFileSync(leaf, writePem("CERTIFICATE", svid));
  for (const purpose of ["sslserver", "sslclient"]) {
    const verified = run("verify", "-x509_strict", "-purpose", purpose, "-CAfile", root, leaf);
    assert.equal(verified.trim(), `${leaf}: OK`);
  }
  const text = run("x509", "-in", leaf, "-noout", "-text");
  assert.match(
    text,
    /X509v3 Subject Alternative Name: critical\s+URI:spiffe:\/\/example\.org\/widget\/server/,
  );
  assert.match(text, /X509v3 Basic Constraints: critical\s+CA:FALSE/);
  assert.match(text, /X509v3 Key Usage: critical\s+Digital Signature\n/);
  assert.ok(text.includes("1.2.840.113556.1.8000.2554.30534.61944.20736.17917.41416.3343777.5524230"));
  assert.ok(text.includes(GROUNDS.digests[0] ?? "none"));
});

test("the grounds have the encoding that docs/svid.md gives", () => {
  const [, example = ""] =
    /in hex:\n\n```\n([0-9a-f\s]+)```/.exec(readFileSync("docs/svid.md", "utf8")) ?? [];
  const encoded = encodeGrounds({ digests: [sha256("")], policies: ["p"], verdicts: [0, 128, 2 ** 40] });
  assert.equal(encoded.toString("hex"), example.replace(/\s/g, ""));
});

test("property: grounds read back as they were, and from no other spelling", () => {
  const grounds = fc.record(
    {
      digests: fc.array(fc.string().map(sha256), { maxLength: 64 }),
      policies: fc.array(fc.string({ unit: "grapheme" }), { maxLength: 64 }),
      verdicts: fc.array(fc.maxSafeNat(), { maxLength: 64 }),
      index: fc.maxSafeNat(),
    },
    { requiredKeys: ["digests", "policies", "verdicts"], noNullPrototype: true },
  );
  fc.assert(fc.property(grounds, (value) => assert.deepEqual(decodeGrounds(encodeGrounds(value)), value)));
  const encoded = encodeGrounds(GROUNDS);
  fc.assert(
    fc.property(fc.nat(encoded.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(encoded);
      changed[at] = (changed[at] ?? 0) ^ change;
      try {
        assert.ok(encodeGrounds(decodeGrounds(changed)).equals(changed));
      } catch (error) {
        assert.ok(error instanceof DerError, String(error));
      }
    }),
  );
  const tooMany = encodeGrounds({ ...GROUNDS, verdicts: Array.from({ length: 65 }, (_, i) => i) });
  assert.throws(() => decodeGrounds(tooMany), DerError);
});

test("a foreign trust domain's SVID with the same names is refused", async () => {
  const foreign = testAuthority("example.org", now);
  const forged = await createX509Minter(foreign)({ spki, spiffeId: ID, serial, ...times, grounds: GROUNDS });
  assert.throws(() => validateX509Svid([forged], authority.bundle, now), { code: "invalid-svid" });
  const elsewhere = testAuthority("evil.test", now);
  const other = await mint({ spki, spiffeId: spiffeId(elsewhere.trustDomain, "/a"), serial, ...times });
  assert.throws(() => validateX509Svid([other], authority.bundle, now), { code: "invalid-svid" });
});

function run(...args: string[]): string {
  return execFileSync("openssl", args, { encoding: "utf8" });
}
