import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type BundleJson,
  refuses,
  type SignedBundles,
  signBundles,
  verifyBundle,
  withEntry,
} from "./signed-bundles.ts";

let signed: SignedBundles;
before(async () => {
  signed = await signBundles();
});
after(() => signed.sigstore.close());

describe("a bundle's shape", () => {
  const changes: [name: string, code: string, change: (copy: BundleJson) => void][] = [
    [
      "an unknown version",
      "malformed-bundle",
      (b) => Object.assign(b, { mediaType: "application/vnd.dev.sigstore.bundle.v0.9+json" }),
    ],
    ["a media type that is no string", "malformed-bundle", (b) => Object.assign(b, { mediaType: 3 })],
    ["an unknown member", "malformed-bundle", (b) => Object.assign(b, { more: 1 })],
    ["no verification material", "malformed-bundle", (b) => Object.assign(b, { verificationMaterial: null })],
    [
      "two contents",
      "malformed-bundle",
      (b) => Object.assign(b, { messageSignature: signed.blob.messageSignature }),
    ],
    ["no content", "malformed-bundle", (b) => Object.assign(b, { dsseEnvelope: undefined })],
    ["two signatures", "malformed-bundle", (b) => b.dsseEnvelope.signatures.push({ sig: "c2ln" })],
    ["no key", "malformed-bundle", (b) => Object.assign(b.verificationMaterial, { certificate: undefined })],
    [
      "a certificate and a key",
      "malformed-bundle",
      (b) => Object.assign(b.verificationMaterial, { publicKey: { hint: "k" } }),
    ],
    [
      "a chain in v0.3",
      "malformed-bundle",
      ({ verificationMaterial: material }) =>
        Object.assign(material, {
          certificate: undefined,
          x509CertificateChain: { certificates: [material.certificate] },
        }),
    ],
    ["no inclusion proof in v0.3", "malformed-bundle", (b) => withEntry(b, { inclusionProof: undefined })],
    [
      "no inclusion promise in v0.1",
      "malformed-bundle",
      (b) => {
        b.mediaType = "application/vnd.dev.sigstore.bundle+json;version=0.1";
        withEntry(b, { inclusionPromise: undefined });
      },
    ],
    [
      "a proof without checkpoint",
      "malformed-bundle",
      (b) =>
        Object.assign(b.verificationMaterial.tlogEntries[0]?.inclusionProof ?? {}, { checkpoint: undefined }),
    ],
    ["a log index that is no whole number", "malformed-bundle", (b) => withEntry(b, { logIndex: "-1" })],
    ["a time with leading zeros", "malformed-bundle", (b) => withEntry(b, { integratedTime: "01" })],
    [
      "the withdrawn entry kind dsse 0.0.2",
      "log-entry-invalid",
      (b) => withEntry(b, { kindVersion: { kind: "dsse", version: "0.0.2" } }),
    ],
    [
      "an entry kind that is inherited",
      "malformed-bundle",
      (b) => withEntry(b, { kindVersion: { kind: "__proto__", version: "" } }),
    ],
    [
      "base64 with white space",
      "malformed-envelope",
      (b) => Object.assign(b.dsseEnvelope, { payload: `${b.dsseEnvelope.payload}\n` }),
    ],
    [
      "nine log entries",
      "malformed-bundle",
      (b) =>
        Object.assign(b.verificationMaterial, {
          tlogEntries: Array(9).fill(b.verificationMaterial.tlogEntries[0]),
        }),
    ],
  ];
  for (const [name, code, change] of changes) {
    test(`is refused with ${name}`, () => refuses(signed.provenance, code, signed.trust, change));
  }

  const digest = (changed: object) => (b: BundleJson) =>
    Object.assign(b.messageSignature.messageDigest, changed);
  test("is refused with a message digest that is none", () => {
    refuses(signed.blob, "malformed-bundle", signed.trust, digest({ algorithm: "SHA1" }));
    refuses(signed.blob, "malformed-bundle", signed.trust, digest({ algorithm: "SHA2_512" }));
    refuses(signed.blob, "malformed-bundle", signed.trust, digest({ digest: "AAAA" }));
    refuses(signed.blob, "malformed-bundle", signed.trust, (b) =>
      Object.assign(b.messageSignature, { messageDigest: undefined }),
    );
  });

  test("reads null as what is not there, as protobuf's JSON may write it", () => {
    const absent = { certificate: null, x509CertificateChain: null, publicKey: null };
    for (const [bundle, other] of [
      [signed.provenance, { messageSignature: null }],
      [signed.blob, { dsseEnvelope: null }],
    ] as const) {
      const { verificationMaterial } = bundle;
      const written = {
        ...bundle,
        ...other,
        verificationMaterial: { ...absent, ...verificationMaterial },
      };
      assert.doesNotThrow(() => verifyBundle(written, signed.trust));
    }
    refuses(signed.provenance, "malformed-bundle", signed.trust, (b) =>
      Object.assign(b.verificationMaterial, absent),
    );
  });
});
