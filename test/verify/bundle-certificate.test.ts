import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Sigstore } from "../sigstore/instance.ts";
import {
  type BundleJson,
  mutated,
  refuses,
  type SignedBundles,
  signBundles,
  verifyBundle,
} from "./signed-bundles.ts";

let sigstore: Sigstore;
let trust: SignedBundles["trust"];
let provenance: BundleJson;
before(async () => {
  ({ sigstore, trust, provenance } = await signBundles());
});
after(() => sigstore.close());

describe("a bundle's certificate", () => {
  const withCertificate = (change: (der: Buffer) => Buffer) => (copy: BundleJson) => {
    const der = Buffer.from(copy.verificationMaterial.certificate?.rawBytes ?? "", "base64");
    copy.verificationMaterial.certificate = { rawBytes: change(der).toString("base64") };
  };
  const flipped = (der: Buffer, at: number) => {
    const copy = Buffer.from(der);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };

  test("with anything after it, or cut off, is refused", () => {
    refuses(
      provenance,
      "certificate-invalid",
      trust,
      withCertificate((der) => Buffer.concat([der, Buffer.of(0)])),
    );
    refuses(
      provenance,
      "certificate-invalid",
      trust,
      withCertificate((der) => der.subarray(0, -1)),
    );
  });

  test("whose signature value has another tag or unused bits is refused", () => {
    // The outer SEQUENCE ends with BIT STRING, its length, the count of unused bits, the signature.
    const signatureAt = (der: Buffer) => der.lastIndexOf(Buffer.of(0x00, 0x30)) - 2;
    refuses(
      provenance,
      "certificate-invalid",
      trust,
      withCertificate((der) => flipped(der, signatureAt(der))),
    );
    refuses(
      provenance,
      "certificate-invalid",
      trust,
      withCertificate((der) => flipped(der, signatureAt(der) + 2)),
    );
  });

  test("with any one bit changed is refused, always with our error", () => {
    const { length } = Buffer.from(provenance.verificationMaterial.certificate?.rawBytes ?? "", "base64");
    for (let at = 0; at < length; at += 7) {
      const changed = mutated(
        provenance,
        withCertificate((der) => flipped(der, at)),
      );
      assert.throws(() => verifyBundle(changed, trust), { name: "VouchsafeError" });
    }
  });

  test("of an authority signs nothing", () => {
    const root = JSON.parse(JSON.stringify(sigstore.trustedRoot)).certificateAuthorities[0].certChain
      .certificates[0];
    refuses(provenance, "certificate-invalid", trust, (copy) => {
      copy.verificationMaterial.certificate = root;
    });
  });
});
