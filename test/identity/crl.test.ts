import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createCrlSigner, issuerName } from "../../src/identity/crl.ts";
import { spiffeId } from "../../src/identity/spiffe-id.ts";
import { createX509Minter, serialFrom } from "../../src/identity/x509-svid.ts";
import { writePem } from "../../src/x509/pem.ts";
import { openssl } from "./openssl.ts";
import { MINUTE, testAuthority } from "./trust-domain.ts";

describe("revocation lists", openssl, () => {
  const now = Date.now();
  const authority = testAuthority("example.org", now);
  const signCrl = createCrlSigner(authority);
  const minter = createX509Minter(authority);
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-crl-"));
    await writeFile(join(directory, "ca.pem"), writePem("CERTIFICATE", authority.caCertificate.der));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const list = (serials: readonly Uint8Array[], more = {}) =>
    signCrl({
      asOf: 41,
      thisUpdate: now - MINUTE,
      nextUpdate: now + MINUTE,
      revoked: serials.map((serial) => ({ serial, revokedAt: now - MINUTE })),
      ...more,
    });

  async function svid(serial: Uint8Array): Promise<Uint8Array> {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const spki = publicKey.export({ format: "der", type: "spki" });
    const id = spiffeId(authority.trustDomain, "/widget");
    return minter({ spki, spiffeId: id, serial, notBefore: now - MINUTE, notAfter: now + MINUTE });
  }

  /** What openssl says of a certificate by this list. */
  async function verify(certificate: Uint8Array, crl: Uint8Array): Promise<string> {
    await writeFile(join(directory, "svid.pem"), writePem("CERTIFICATE", certificate));
    await writeFile(join(directory, "crl.pem"), writePem("X509 CRL", crl));
    const files = ["-CAfile", "ca.pem", "-CRLfile", "crl.pem", "svid.pem"];
    const { status, stderr } = spawnSync("openssl", ["verify", "-x509_strict", "-crl_check", ...files], {
      cwd: directory,
      encoding: "utf8",
    });
    return status === 0 ? "OK" : (/error \d+ at 0 depth lookup: (.*)/.exec(stderr)?.[1] ?? stderr);
  }

  const text = (crl: Uint8Array) =>
    execFileSync("openssl", ["crl", "-inform", "DER", "-noout", "-text"], { input: crl, encoding: "utf8" });

  test("openssl refuses who is on the list, and nobody else", async () => {
    const [revoked, other] = [serialFrom(randomBytes(16)), serialFrom(randomBytes(16))];
    const crl = await list([serialFrom(randomBytes(16)), revoked]);
    assert.equal(await verify(await svid(revoked), crl), "certificate revoked");
    assert.equal(await verify(await svid(other), crl), "OK");
    assert.equal(await verify(await svid(revoked), await list([])), "OK");
  });

  test("a list that has ended, or of another authority, is none", async () => {
    const certificate = await svid(serialFrom(randomBytes(16)));
    const ended = await list([], { nextUpdate: now - MINUTE / 2 });
    assert.equal(await verify(certificate, ended), "CRL has expired");
    const another = createCrlSigner(testAuthority("example.org", now));
    const crl = await another({ asOf: 1, thisUpdate: now - MINUTE, nextUpdate: now + MINUTE, revoked: [] });
    assert.equal(await verify(certificate, crl), "unable to get certificate CRL");
  });

  test("names its authority's key, and a number that grows with the log and with time", async () => {
    const identifier = issuerName(authority)
      .toUpperCase()
      .replace(/(..)(?!$)/g, "$1:");
    const first = text(await list([], { asOf: 1, thisUpdate: 2_000 }));
    assert.match(first, /Version 2/);
    assert.ok(first.includes(identifier));
    assert.match(first, /CRL Number: *\n? *(0x0?100000002|4294967298)\b/i);
    assert.match(text(await list([], { asOf: 1, thisUpdate: 3_000 })), /(0x0?100000003|4294967299)\b/i);
    assert.match(text(await list([], { asOf: 2, thisUpdate: 1_000 })), /(0x0?200000001|8589934593)\b/i);
  });

  test("ten thousand entries", async () => {
    const serials = Array.from({ length: 10_000 }, () => serialFrom(randomBytes(16)));
    assert.equal(text(await list(serials)).match(/Serial Number:/g)?.length, 10_000);
  });
});
