import assert from "node:assert/strict";
import { constants, hash } from "node:crypto";
import { describe, test } from "node:test";
import { createTrust } from "../../src/trust/snapshot.ts";
import { ec, envelope, type KeySigner, rsa, STATEMENT, trustedKey } from "./envelopes.ts";
import { artifact, verifyBundle } from "./signed-bundles.ts";

// A trust document may hold 64 keys, and evidence need not say which of them signed it.

const MOST_KEYS = 64;
const many = (make: () => KeySigner, count = MOST_KEYS) => Array.from({ length: count }, make);
const p256 = () => ec("p256", "P-256", "sha256", "der");
const p384 = () => ec("p384", "P-384", "sha384", "der");
const p384OverSha256 = () => ec("p384", "P-384", "sha256", "der");

const trustIn = (signers: readonly KeySigner[]) =>
  createTrust({ sigstore: [], keys: signers.map((one, i) => trustedKey(one, { name: `${i}` })) });
const last = (signers: readonly KeySigner[]): KeySigner => {
  const found = signers.at(-1);
  assert.ok(found);
  return found;
};

/** The name of the key that signed. */
function signerOf(evidence: unknown, signers: readonly KeySigner[], message?: Uint8Array): string {
  const { signer } = verifyBundle(evidence, trustIn(signers), message);
  assert.equal(signer.case, "key");
  return signer.name;
}

/** A bundle over the artifact that does not name its key. */
function blob(signer: KeySigner) {
  return {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: { publicKey: {} },
    messageSignature: {
      messageDigest: { algorithm: "SHA2_256", digest: hash("sha256", artifact.bytes, "base64") },
      signature: signer.sign(artifact.bytes).toString("base64"),
    },
  };
}

describe("of as many keys as trust may hold, the last one is found", () => {
  test("by its usual scheme, and by one that it has besides", () => {
    for (const make of [p384, p384OverSha256]) {
      const signers = many(make);
      assert.equal(signerOf(envelope([last(signers)]), signers), "63");
    }
  });

  test("behind the signatures of strangers", () => {
    const signers = many(p256);
    assert.equal(signerOf(envelope([...many(p256, 7), last(signers)]), signers), "63");
    const few = signers.slice(0, 5);
    assert.equal(signerOf(envelope([...many(p256, 31), last(few)]), few), "4");
  });

  test("over an artifact, and for RSA over its digest alone", () => {
    const signers = many(p256);
    assert.equal(signerOf(blob(last(signers)), signers, artifact.bytes), "63");
    const own = many(() => rsa("rsa", constants.RSA_PKCS1_PSS_PADDING), 9);
    assert.equal(signerOf(blob(last(own)), own), "8");
  });
});

describe("where there is more to try than is tried", () => {
  test("that is what a refusal says, and not that nobody who is trusted signed", () => {
    const signers = many(p256);
    const refuses = (evidence: unknown, trusted: readonly KeySigner[], code: string) =>
      assert.throws(() => signerOf(evidence, trusted), { code });
    refuses(envelope(many(p256, 8)), signers, "unknown-key");
    refuses(envelope([...many(p256, 8), last(signers)]), signers, "too-many-items");
    refuses(blob(p256()), signers.slice(0, 16), "unknown-key");
    refuses(blob(last(signers)), signers.slice(-17), "too-many-items");
    refuses(envelope([p256()], { keyid: "63" }), signers, "signature-invalid");
  });

  test("the key that a signature names is tried, and every key's usual scheme before any other", () => {
    const signers = many(p256);
    const named = envelope([...many(p256, 8), last(signers)], { keyid: "63" });
    assert.equal(signerOf(named, signers), "63");
    const others = many(p384);
    assert.equal(signerOf(envelope([...many(p256, 7), last(others)]), others), "63");
  });

  test("of what is long, less is tried", () => {
    const statement = { ...STATEMENT, predicate: { result: "x".repeat(1024 * 1024) } };
    const signers = many(p256);
    assert.equal(signerOf(envelope([last(signers)], { statement }), signers), "63");
    const refused = () => signerOf(envelope([p256(), last(signers)], { statement }), signers);
    assert.throws(refused, { code: "too-many-items" });
  });
});
