import assert from "node:assert/strict";
import { constants, generateKeyPairSync, hash, type KeyObject, sign } from "node:crypto";
import { describe, test } from "node:test";
import { der, octetString, oid, sequence, unsigned } from "../../src/der/writer.ts";
import { readTimestamp } from "../../src/verify/rfc3161.ts";
import { overDigest } from "../../src/verify/signed.ts";
import { EXTENSION } from "../../src/x509/oids.ts";
import { CA, extension, FOR_TIMESTAMPS, issueCertificate, newKeys } from "./issued-certificates.ts";
import {
  attribute,
  imprint,
  oldSigningCertificate,
  SHA256,
  SHA384,
  SHA512,
  signingCertificate,
  type TimestampChanges,
  timestampAuthority,
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

test("says when, and by whose authority", () => {
  assert.deepEqual(verifyTimestamp(stamp()), {
    time: NOON,
    name: "tsa",
    operator: hash("sha256", tsa.certificate, "hex"),
  });
  assert.deepEqual(verifyTimestamp(stamp({ embedded: [tsa.certificate] }), issuing), {
    time: NOON,
    name: "root",
    operator: hash("sha256", root.certificate, "hex"),
  });
});

describe("takes what honest authorities write", () => {
  const ways: Record<string, TimestampChanges> = {
    "a fraction of a second": { time: "20240229120000.5Z" },
    "a fraction of many digits": { time: `20240229120000.${"1".repeat(40)}Z` },
    "granted with modifications, and why": {
      status: sequence(unsigned(Buffer.of(1)), sequence(der(0x0c, Buffer.from("another policy")))),
    },
    "every optional member": {
      more: [
        sequence(unsigned(Buffer.of(1)), der(0x80, Buffer.of(5)), der(0x81, Buffer.of(9))),
        der(0x01, Buffer.of(0xff)),
        unsigned(Buffer.from("f".repeat(16), "hex")),
        der(0xa0, der(0xa4, sequence())),
        der(0xa1, extension(oid("1.2.3"), sequence())),
      ],
    },
    "an imprint by another hash": { imprint: imprint(SHA384, hash("sha384", STAMPED, "buffer")) },
    "NULL as a hash's parameters": { digestAlgorithm: sequence(oid("2.16.840.1.101.3.4.2.1"), der(0x05)) },
    "its chain, and what does not belong": {
      embedded: [newTsa().certificate, root.certificate, tsa.certificate],
    },
    "the signed attributes in another order": { attributes: (taken) => taken.toReversed() },
    "a signed attribute that is not known": {
      attributes: (taken) => [...taken, attribute(oid("1.2.3"), sequence(), sequence())],
    },
    "an unsigned attribute": { unsigned: der(0xa1, attribute(oid("1.2.3"), sequence())) },
    "no name of its certificate": { attributes: (taken) => taken.slice(0, 2) },
    "its certificate's SHA-512": {
      attributes: (taken) => [...taken.slice(0, 2), signingCertificate(tsa.certificate, "sha512", SHA512)],
    },
    "its certificate's SHA-1, as before RFC 5816": {
      attributes: (taken) => [...taken.slice(0, 2), oldSigningCertificate(tsa.certificate)],
    },
  };
  for (const [name, changes] of Object.entries(ways)) {
    test(name, () =>
      assert.equal(Math.floor((verifyTimestamp(stamp(changes))?.time ?? 0) / 1000), NOON / 1000),
    );
  }

  test("milliseconds, and nothing finer", () => {
    assert.equal(verifyTimestamp(stamp({ time: "20240229120000.25Z" }))?.time, NOON + 250);
    assert.equal(verifyTimestamp(stamp({ time: "20240229120000.0019Z" }))?.time, NOON + 1);
  });

  test("the signer's key identifier instead of its serial number", () => {
    const keyIdentifier = Buffer.from("0123456789abcdef", "hex");
    const withIdentifier = issueCertificate({
      name: "tsa",
      issuer: root,
      extensions: [FOR_TIMESTAMPS, extension(EXTENSION.subjectKeyIdentifier, octetString(keyIdentifier))],
    });
    const authorities = [timestampAuthority([withIdentifier.certificate, root.certificate])];
    const changes = { signerVersion: 3, identifier: der(0x80, keyIdentifier) };
    assert.equal(verifyTimestamp(stamp(changes, withIdentifier), authorities)?.time, NOON);
    refuses(() =>
      verifyTimestamp(
        stamp({ ...changes, identifier: der(0x80, Buffer.of(1)) }, withIdentifier),
        authorities,
      ),
    );
  });

  test("the certificate that is named, of several that the authority issued", () => {
    const changes = { embedded: [newTsa(8).certificate, tsa.certificate, newTsa(9).certificate] };
    const response = stamp({ ...changes, attributes: (taken) => taken.slice(0, 2) });
    assert.equal(verifyTimestamp(response, issuing)?.time, NOON);
  });

  test("the authority that issued it, of two with one name", () => {
    const houses = [Buffer.of(1), Buffer.of(2)].map((identifier) => {
      const own = extension(EXTENSION.subjectKeyIdentifier, octetString(identifier));
      const named = extension(EXTENSION.authorityKeyIdentifier, sequence(der(0x80, identifier)));
      const issuer = issueCertificate({ name: "one name", extensions: [CA, own] });
      return {
        issuer,
        signer: issueCertificate({ name: "tsa", issuer, extensions: [FOR_TIMESTAMPS, named] }),
      };
    });
    const both = houses.map(({ issuer }) => timestampAuthority([issuer.certificate]));
    for (const { signer } of houses) {
      assert.equal(verifyTimestamp(stamp({ embedded: [signer.certificate] }, signer), both)?.time, NOON);
    }
  });

  test("the authority that issued it, of two with one name and no key identifiers", () => {
    const changed = timestampAuthority([issueCertificate({ name: "root", extensions: [CA] }).certificate]);
    const response = stamp({ embedded: [tsa.certificate] });
    for (const both of [
      [changed, ...issuing],
      [...issuing, changed],
    ]) {
      assert.equal(verifyTimestamp(response, both)?.time, NOON);
    }
    assert.equal(verifyTimestamp(response, [changed]), undefined);
  });

  test("the signer's certificate beside a stranger's that looks like it", () => {
    const stranger = issueCertificate({ name: "root", extensions: [CA] });
    const decoy = issueCertificate({ name: "tsa", issuer: stranger, extensions: [FOR_TIMESTAMPS] });
    const unnamed: TimestampChanges = { attributes: (taken) => taken.slice(0, 2) };
    const embedded = [decoy.certificate, tsa.certificate];
    assert.equal(verifyTimestamp(stamp({ ...unnamed, embedded }), issuing)?.time, NOON);
    assert.equal(verifyTimestamp(stamp({ ...unnamed, embedded }, decoy), issuing), undefined);
    for (const id of [EXTENSION.extKeyUsage, EXTENSION.authorityKeyIdentifier]) {
      const unreadable = extension(id, Buffer.from("?"));
      const { certificate } = issueCertificate({ name: "tsa", issuer: stranger, extensions: [unreadable] });
      assert.equal(verifyTimestamp(stamp({ embedded: [certificate, tsa.certificate] }), issuing)?.time, NOON);
    }
  });

  test("an intermediate authority's certificate, whatever the order of the authorities", () => {
    const intermediate = issueCertificate({ name: "intermediate", issuer: root, extensions: [CA] });
    const below = issueCertificate({ name: "below", issuer: intermediate, extensions: [FOR_TIMESTAMPS] });
    const chain = timestampAuthority([intermediate.certificate, root.certificate]);
    const response = stamp({ embedded: [below.certificate] }, below);
    assert.equal(verifyTimestamp(response, [...trusted, chain])?.time, NOON);
    assert.equal(verifyTimestamp(response, [chain, ...trusted])?.time, NOON);
    // A certificate that only the token brings issues nothing, although a trusted one issued it.
    refuses(() =>
      verifyTimestamp(stamp({ embedded: [below.certificate, intermediate.certificate] }, below), issuing),
    );
  });

  test("a digest in place of the bytes, by the same hash alone", () => {
    const read = (algorithm: string) => () =>
      readTimestamp(stamp(), overDigest(algorithm, hash(algorithm, STAMPED, "buffer")), trusted);
    assert.equal(read("sha256")()[0]?.found.time, NOON);
    refuses(read("sha512"));
    const digest = hash("sha256", STAMPED, "buffer");
    refuses(() => readTimestamp(stamp(), overDigest("sha3-256", digest), trusted));
  });
});

describe("takes each algorithm with a key that it fits", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const pssParameters = sequence(
    der(0xa0, SHA256),
    der(0xa1, sequence(oid("1.2.840.113549.1.1.8"), SHA256)),
    der(0xa2, unsigned(Buffer.of(32))),
  );
  const pssAlgorithm = sequence(oid("1.2.840.113549.1.1.10"), pssParameters);
  const ecdsa = (last: number) => sequence(oid(`1.2.840.10045.4.3.${last}`));
  const rsaWith = (last: number) => sequence(oid(`1.2.840.113549.1.1.${last}`), der(0x05));
  const by = (name: string | null, options: object = {}) => ({
    sign: (bytes: Buffer, key: KeyObject) => sign(name, bytes, { key, ...options }),
  });
  const sha384 = { hash: "sha384", digestAlgorithm: SHA384, ...by("sha384") } as const;
  const sha512 = { hash: "sha512", digestAlgorithm: SHA512, ...by("sha512") } as const;
  const ways: Record<string, [ReturnType<typeof newKeys>, TimestampChanges]> = {
    "ECDSA on P-384 with SHA-384": [newKeys("P-384"), { ...sha384, signatureAlgorithm: ecdsa(3) }],
    "ECDSA on P-384 with SHA-256": [newKeys("P-384"), {}],
    "ECDSA on P-521 with SHA-512": [newKeys("P-521"), { ...sha512, signatureAlgorithm: ecdsa(4) }],
    "RSA with SHA-256": [rsa, { signatureAlgorithm: rsaWith(11) }],
    "RSA by itself, with SHA-512": [rsa, { ...sha512, signatureAlgorithm: rsaWith(1) }],
    "RSASSA-PSS": [rsa, { ...by("sha256", pss), signatureAlgorithm: pssAlgorithm }],
    Ed25519: [
      generateKeyPairSync("ed25519"),
      { ...sha512, ...by(null), signatureAlgorithm: sequence(oid("1.3.101.112")) },
    ],
  };
  for (const [name, [keys, changes]] of Object.entries(ways)) {
    const signer = issueCertificate({ name: "tsa", issuer: root, keys, extensions: [FOR_TIMESTAMPS] });
    const authorities = [timestampAuthority([signer.certificate, root.certificate])];
    test(name, () => assert.equal(verifyTimestamp(stamp(changes, signer), authorities)?.time, NOON));
    test(`${name}, and not under another key`, () => {
      const other = issueCertificate({ name: "tsa", issuer: root, keys, extensions: [FOR_TIMESTAMPS] });
      const forged = { ...changes, attributes: (taken: readonly Buffer[]) => taken.slice(0, 2) };
      const response = stamp(forged, { certificate: other.certificate, key: tsa.key });
      assert.equal(verifyTimestamp(response, authorities), undefined);
    });
  }

  test("RSASSA-PSS, and not with two hashes", () => {
    const signer = issueCertificate({ name: "tsa", issuer: root, keys: rsa, extensions: [FOR_TIMESTAMPS] });
    const authorities = [timestampAuthority([signer.certificate, root.certificate])];
    const changes = { ...sha512, ...by("sha512", pss), signatureAlgorithm: pssAlgorithm };
    refuses(() => verifyTimestamp(stamp(changes, signer), authorities));
  });

  const mismatches: Record<string, TimestampChanges> = {
    "RSA under a key on a curve": { signatureAlgorithm: rsaWith(11) },
    "a signature's hash that is not the content's": { signatureAlgorithm: ecdsa(4), ...by("sha512") },
    "Ed25519 under a key on a curve": { ...sha512, signatureAlgorithm: sequence(oid("1.3.101.112")) },
    "RSASSA-PSS under a key on a curve": { signatureAlgorithm: pssAlgorithm },
    "an algorithm that nobody knows": { signatureAlgorithm: sequence(oid("1.2.3")) },
    "SHA-1 for the content": { digestAlgorithm: sequence(oid("1.3.14.3.2.26"), der(0x05)) },
  };
  for (const [name, changes] of Object.entries(mismatches)) {
    test(`refuses ${name}`, () => refuses(() => verifyTimestamp(stamp(changes))));
  }
});
