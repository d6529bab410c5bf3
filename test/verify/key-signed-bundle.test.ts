import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { createTrust } from "../../src/trust/snapshot.ts";
import type { Sigstore } from "../sigstore/instance.ts";
import { envelope, SIGNERS, trustedKey } from "./envelopes.ts";
import {
  artifact,
  type BundleJson,
  NOW,
  type SignedBundles,
  signBundles,
  verifyBundle,
} from "./signed-bundles.ts";

let sigstore: Sigstore;
let local: SignedBundles["local"];
let provenance: BundleJson;
before(async () => {
  ({ sigstore, local, provenance } = await signBundles());
});
after(() => sigstore.close());

describe("a bundle that a key signed", () => {
  const mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";

  for (const signer of SIGNERS) {
    test(`verifies with ${signer.name}`, () => {
      const keys = createTrust({ sigstore: [], keys: [trustedKey(signer)] });
      for (const publicKey of [{ hint: signer.name }, {}]) {
        const bundle = { mediaType, verificationMaterial: { publicKey }, dsseEnvelope: envelope([signer]) };
        const attestation = verifyBundle(bundle, keys);
        assert.equal(attestation.signer.case === "key" && attestation.signer.name, signer.name);
      }
    });

    test(`over a digest verifies with ${signer.name}, or says that it cannot be`, () => {
      const keys = createTrust({ sigstore: [], keys: [trustedKey(signer)] });
      const hash = signer.hash ?? "sha256";
      const bundle = blobBundle(hash, signer.sign(artifact.bytes));
      if (signer.hash === null) {
        assert.throws(() => verifyBundle(bundle, keys), { code: "unsupported-algorithm" });
      } else {
        assert.equal(verifyBundle(bundle, keys).signer.case, "key");
        assert.throws(() => verifyBundle(blobBundle(hash, signer.sign(Buffer.from("other"))), keys), {
          code: "unknown-key",
        });
      }
    });
  }

  test("names it by the fingerprint that Sigstore's clients write", () => {
    const [signer, other] = SIGNERS;
    assert.ok(signer && other);
    const hint = createHash("sha256")
      .update(signer.publicKey.export({ type: "spki", format: "der" }))
      .digest("base64");
    const dsseEnvelope = envelope([other]);
    const bundle = { mediaType, verificationMaterial: { publicKey: { hint } }, dsseEnvelope };
    const keys = createTrust({ sigstore: [], keys: [trustedKey(signer)] });
    assert.throws(() => verifyBundle(bundle, keys), { code: "signature-invalid" });
  });

  test("without a trusted time counts while its key is valid", () => {
    const [signer] = SIGNERS;
    assert.ok(signer);
    const bundle = { mediaType, verificationMaterial: { publicKey: {} }, dsseEnvelope: envelope([signer]) };
    const until = (time: number) =>
      createTrust({ sigstore: [], keys: [trustedKey(signer, { validUntil: new Date(time).toISOString() })] });
    assert.doesNotThrow(() => verifyBundle(bundle, until(NOW)));
    assert.throws(() => verifyBundle(bundle, until(NOW - 1)), { code: "time-unverified" });
  });

  test("is refused when its log entries are of a log that nobody trusts", () => {
    const [signer] = SIGNERS;
    assert.ok(signer);
    const { tlogEntries } = provenance.verificationMaterial;
    const bundle = {
      mediaType,
      verificationMaterial: { publicKey: {}, tlogEntries },
      dsseEnvelope: envelope([signer]),
    };
    assert.throws(() => verifyBundle(bundle, createTrust({ sigstore: [], keys: [trustedKey(signer)] })), {
      code: "log-entry-invalid",
    });
    assert.throws(
      () => verifyBundle(bundle, createTrust({ sigstore: [local], keys: [trustedKey(signer)] })),
      {
        code: "log-entry-invalid",
      },
    );
  });

  test("counts only keys of the snapshot, whatever key stands in it", () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const stranger = {
      name: "stranger",
      publicKey,
      hash: null,
      sign: (bytes: Uint8Array) => sign(null, bytes, privateKey),
    };
    const rawBytes = publicKey.export({ type: "spki", format: "der" }).toString("base64");
    const bundle = {
      mediaType,
      verificationMaterial: { publicKey: { rawBytes, keyDetails: "PKIX_ED25519" } },
      dsseEnvelope: envelope([stranger]),
    };
    const keys = createTrust({ sigstore: [], keys: SIGNERS.map((signer) => trustedKey(signer)) });
    assert.throws(() => verifyBundle(bundle, keys), { code: "unknown-key" });
  });

  function blobBundle(hash: string, signature: Buffer) {
    const algorithm = { sha256: "SHA2_256", sha384: "SHA2_384", sha512: "SHA2_512" }[hash];
    const digest = createHash(hash).update(artifact.bytes).digest("base64");
    return {
      mediaType,
      verificationMaterial: { publicKey: {} },
      messageSignature: { messageDigest: { algorithm, digest }, signature: signature.toString("base64") },
    };
  }
});
