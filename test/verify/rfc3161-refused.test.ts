import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { describe, test } from "node:test";
import { der, octetString, oid, sequence, unsigned } from "../../src/der/writer.ts";
import { parseCertificate } from "../../src/x509/certificate.ts";
import { CLIENT_AUTH, EXTENSION, TIME_STAMPING } from "../../src/x509/oids.ts";
import {
  CA,
  type CertificateOptions,
  extension,
  FOR_TIMESTAMPS,
  issueCertificate,
  nameOf,
} from "./issued-certificates.ts";
import {
  attribute,
  imprint,
  issuerAndSerial,
  oldSigningCertificate,
  SHA256,
  SHA512,
  signingCertificate,
  type TimestampChanges,
  TST_INFO,
  type TstInfoChanges,
  timestampAuthority,
  tstInfo,
} from "./timestamps.ts";
import {
  issuing,
  NOON,
  newTsa,
  refuses,
  root,
  STAMPED,
  stamp,
  trusted,
  tsa,
  verifyTimestamp,
} from "./trusted-tsa.ts";

const OTHER = Buffer.from("another signature");
const issuerName = Buffer.from(parseCertificate(tsa.certificate).issuer);
const encapsulated = (changes: TstInfoChanges, type = TST_INFO, ...more: readonly Buffer[]) =>
  sequence(type, der(0xa0, octetString(tstInfo(STAMPED, changes))), ...more);
const critical = (id: string) => extension(oid(id), sequence(), true);
const status = (...members: readonly Buffer[]) => ({ status: sequence(...members) });

describe("refuses a response that", () => {
  const responses: Record<string, TimestampChanges> = {
    "was not granted": status(unsigned(Buffer.of(2))),
    "has no status": status(),
    "has something after its token": { trailing: sequence() },

    "signs content of another type": { contentType: oid("1.2.840.113549.1.7.1") },
    "is of SignedData version 1": { cmsVersion: 1 },
    "is not SignedData": { type: oid("1.2.840.113549.1.7.1") },
    "has something after its signers": { afterSigners: sequence() },
    "has two signers": { signers: 2 },
    "has no signer": { signers: 0 },
    "is from a signer of the wrong version": { signerVersion: 3 },
    "is from a signer with three names": {
      identifier: sequence(issuerName, unsigned(Buffer.of(7)), sequence()),
    },
    "has something after its signature": { unsigned: sequence() },
    "has other content than was signed": { encapsulated: encapsulated({ time: "20240301120000Z" }) },
    "has its content under another type": { encapsulated: encapsulated({}, oid("1.2.840.113549.1.7.1")) },
    "has something after its content": { encapsulated: encapsulated({}, TST_INFO, sequence()) },
    "signs no content type": { attributes: ([, ...others]) => others },
    "signs no digest": {
      attributes: ([type = sequence(), , certificate = sequence()]) => [type, certificate],
    },
    "signs a digest twice": { attributes: (taken) => [...taken, ...taken.slice(1, 2)] },
    "signs two digests in one attribute": {
      attributes: ([type = sequence()]) => [
        type,
        attribute(
          oid("1.2.840.113549.1.9.4"),
          ...Array(2).fill(octetString(hash("sha256", tstInfo(STAMPED), "buffer"))),
        ),
      ],
    },
    "has nothing signed besides its content": { attributes: () => [] },
    "holds more certificates than any chain": { embedded: Array(17).fill(tsa.certificate) },

    "is a TSTInfo of version 2": { version: 2 },
    "stamps something else": { imprint: imprint(SHA256, hash("sha256", OTHER, "buffer")) },
    "stamps it by SHA-1": {
      imprint: imprint(sequence(oid("1.3.14.3.2.26")), hash("sha1", STAMPED, "buffer")),
    },
    "has half a digest": { imprint: imprint(SHA256, hash("sha256", STAMPED, "buffer").subarray(16)) },
    "has an imprint of three members": {
      imprint: sequence(SHA256, octetString(hash("sha256", STAMPED, "buffer")), sequence()),
    },
    "has an extension of three members": {
      more: [der(0xa1, sequence(oid("1.2.3"), octetString(sequence()), octetString(sequence())))],
    },
    "has a critical extension": { more: [der(0xa1, critical("1.2.3"))] },
    "has members in another order": { more: [unsigned(Buffer.of(9)), der(0x01, Buffer.of(0xff))] },
    "has a member that nobody knows": { more: [der(0x0c, Buffer.from("?"))] },
    "has an accuracy of four parts": { more: [sequence(...Array(4).fill(unsigned(Buffer.of(1))))] },

    "names another certificate as its signer's": { identifier: issuerAndSerial(newTsa(8).certificate) },
    "names another issuer": { identifier: sequence(nameOf("another"), unsigned(Buffer.of(7))) },
    "means another certificate, by SHA-256": {
      attributes: (taken) => [...taken.slice(0, 2), signingCertificate(newTsa().certificate)],
    },
    "means another certificate, by SHA-512": {
      attributes: (taken) => [...taken.slice(0, 2), signingCertificate(root.certificate, "sha512", SHA512)],
    },
    "means another certificate, by SHA-1": {
      attributes: (taken) => [...taken, oldSigningCertificate(newTsa().certificate)],
    },
  };
  for (const [name, changes] of Object.entries(responses)) {
    test(name, () => refuses(() => verifyTimestamp(stamp(changes))));
  }

  test("is larger than is read", () => {
    const padded = (bytes: number) =>
      stamp({ unsigned: der(0xa1, attribute(oid("1.2.3"), octetString(Buffer.alloc(bytes)))) });
    assert.equal(verifyTimestamp(padded(60_000))?.time, NOON);
    refuses(() => verifyTimestamp(padded(66_000)));
  });
});

describe("refuses a time that is", () => {
  const times = {
    "of a day that is not there": "20230229120000Z",
    "of a second that is not there": "20240229120060Z",
    "not in UTC": "20240229120000+0100",
    local: "20240229120000",
    "without seconds": "202402291200Z",
    "a fraction with a comma": "20240229120000,5Z",
    "a fraction that ends in zero": "20240229120000.50Z",
    "a fraction of nothing": "20240229120000.Z",
    "a fraction of zero": "20240229120000.0Z",
  };
  for (const [name, time] of Object.entries(times)) {
    test(name, () => refuses(() => verifyTimestamp(stamp({ time }))));
  }
});

describe("an authority is believed while it is valid, both ends included", () => {
  const cases = [
    { from: NOON, until: NOON, believed: true },
    { from: NOON + 1, until: NOON + 9, believed: false },
    { from: NOON - 9, until: NOON - 1, believed: false },
  ];
  for (const { from, until, believed } of cases) {
    test(`from ${from - NOON} to ${until - NOON} ms of the time`, () => {
      for (const certificates of [[tsa.certificate, root.certificate], [root.certificate]]) {
        const authorities = [timestampAuthority(certificates, { start: from, end: until })];
        const verify = () => verifyTimestamp(stamp({ embedded: [tsa.certificate] }), authorities);
        if (believed) assert.equal(verify()?.time, NOON);
        else refuses(verify);
      }
    });
  }

  test("the one that is valid, of several with one certificate", () => {
    const chain = [tsa.certificate, root.certificate];
    const outdated = timestampAuthority(chain, { start: 0, end: 1 });
    assert.equal(verifyTimestamp(stamp(), [outdated, ...trusted])?.time, NOON);
    refuses(() => verifyTimestamp(stamp(), [outdated]));
  });
});

describe("refuses a signer's certificate, trusted or embedded, that", () => {
  const usages = (...ids: readonly Buffer[]) => extension(EXTENSION.extKeyUsage, sequence(...ids), true);
  const keyUsage = (bits: number) => extension(EXTENSION.keyUsage, der(0x03, Buffer.of(0, bits)), true);
  const certificates: Record<string, Partial<CertificateOptions>> = {
    "is for nothing in particular": { extensions: [keyUsage(0x80)] },
    "is for something else": { extensions: [usages(CLIENT_AUTH)] },
    "is for something else besides": { extensions: [usages(TIME_STAMPING, CLIENT_AUTH)] },
    "leaves its usage to who likes to heed it": {
      extensions: [extension(EXTENSION.extKeyUsage, sequence(TIME_STAMPING))],
    },
    "may not sign": { extensions: [FOR_TIMESTAMPS, keyUsage(0x20)] },
    "has a critical extension that nobody knows": { extensions: [FOR_TIMESTAMPS, critical("1.2.3")] },
    "begins later": { extensions: [FOR_TIMESTAMPS], from: "20240229120001" },
    "ended before": { extensions: [FOR_TIMESTAMPS], until: "20240229115959" },
  };
  for (const [name, options] of Object.entries(certificates)) {
    const signer = issueCertificate({ name: "tsa", issuer: root, ...options });
    const response = stamp({ embedded: [signer.certificate] }, signer);
    test(name, () => {
      // Trust documents refuse most of these too: nobody else's care is relied on for what a token says of itself.
      const certificate = parseCertificate(signer.certificate);
      const validFor = { start: certificate.notBefore, end: certificate.notAfter };
      refuses(() => verifyTimestamp(response, [{ chain: [{ certificate, validFor }] }]));
      refuses(() => verifyTimestamp(response, issuing));
    });
  }

  test("is an authority's", () => {
    const signer = issueCertificate({ name: "tsa", issuer: root, extensions: [FOR_TIMESTAMPS, CA] });
    refuses(() => verifyTimestamp(stamp({ embedded: [signer.certificate] }, signer), issuing));
  });
});

describe("embedded certificates are not believed for being there", () => {
  const stranger = issueCertificate({ name: "root", extensions: [CA] });
  const spoofed = issueCertificate({ name: "tsa", issuer: stranger, extensions: [FOR_TIMESTAMPS] });

  test("one of a stranger with the authority's name does not hold", () => {
    const response = stamp({ embedded: [spoofed.certificate, stranger.certificate] }, spoofed);
    assert.equal(verifyTimestamp(response, issuing), undefined);
  });

  test("the trusted one's own place is not taken by one of its name and serial number", () => {
    const response = stamp(
      { embedded: [spoofed.certificate], attributes: (taken) => taken.slice(0, 2) },
      spoofed,
    );
    assert.equal(verifyTimestamp(response), undefined);
  });

  test("one that cannot be read takes nothing from the one that is meant", () => {
    const embedded = [sequence(), tsa.certificate, sequence(sequence())];
    assert.equal(verifyTimestamp(stamp({ embedded }), issuing)?.time, NOON);
    refuses(() => verifyTimestamp(stamp({ embedded: [sequence()] }), issuing));
  });

  test("another that the trusted one's authority issued is not the trusted one", () => {
    const sibling = issueCertificate({
      name: "sibling",
      issuer: root,
      serial: 8,
      extensions: [FOR_TIMESTAMPS],
    });
    const response = stamp({ embedded: [sibling.certificate] }, sibling);
    assert.equal(verifyTimestamp(response, issuing)?.time, NOON);
    refuses(() => verifyTimestamp(response, trusted));
  });

  test("a signature by another key under a trusted name does not hold", () => {
    const forged = { certificate: tsa.certificate, key: spoofed.key };
    assert.equal(verifyTimestamp(stamp({}, forged)), undefined);
  });
});
