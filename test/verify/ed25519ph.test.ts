import assert from "node:assert/strict";
import { createPublicKey, hash } from "node:crypto";
import { describe, test } from "node:test";
import { canonicalJson, preAuthenticationEncoding } from "../../src/in-toto-attestation/index.ts";
import { createTrust } from "../../src/trust/snapshot.ts";
import { verifyDigest } from "../../src/verify/digest-signature.ts";
import { isInJavaScript } from "../../src/verify/signature-check.ts";
import { overDigest } from "../../src/verify/signed.ts";
import type { LogEntry } from "../../src/verify/signed-evidence.ts";
import { examine } from "../../src/verify/verify-evidence.ts";
import { isKeyOf } from "../../src/x509/public-keys.ts";
import { createRekorLog } from "../sigstore/rekor-log.ts";
import { bytesOf, envelope, type KeySigner, prehashedEd25519, SIGNERS, trustedKey } from "./envelopes.ts";
import { artifact, verifyBundle } from "./signed-bundles.ts";

const mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json";
const signer = prehashedEd25519();
const trustIn = (...signers: readonly KeySigner[]) =>
  createTrust({ sigstore: [], keys: signers.map((one, i) => trustedKey(one, { name: `${one.name}-${i}` })) });
const named = (name: string): KeySigner => {
  const found = SIGNERS.find((one) => one.name === name);
  assert.ok(found);
  return found;
};

const ALGORITHMS = { sha256: "SHA2_256", sha512: "SHA2_512" } as const;

function blob(one: KeySigner, algorithm: keyof typeof ALGORITHMS, signed = artifact.bytes, hint?: string) {
  const digest = hash(algorithm, artifact.bytes, "base64");
  return {
    mediaType,
    verificationMaterial: { publicKey: hint === undefined ? {} : { hint } },
    messageSignature: {
      messageDigest: { algorithm: ALGORITHMS[algorithm], digest },
      signature: one.sign(signed).toString("base64"),
    },
  };
}

// The library that verifies it also signs in the other tests: this holds both to the specification.
test("the vector of RFC 8032 §7.3 verifies, and nothing near it", () => {
  const x = Buffer.from("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf", "hex");
  const jwk = { kty: "OKP", crv: "Ed25519", x: x.toString("base64url") };
  const key = createPublicKey({ key: jwk, format: "jwk" });
  const signature = Buffer.from(
    "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41" +
      "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
    "hex",
  );
  const verify = (message: string, one: Uint8Array) => {
    const digest = overDigest("sha512", hash("sha512", message, "buffer"));
    return verifyDigest(key, { hash: "sha512", prehashed: true }, digest, one);
  };
  assert.equal(verify("abc", signature), true);
  assert.equal(verify("abd", signature), false);
  for (const at of [0, 31, 32, 63]) {
    const other = signature.map((byte, i) => (i === at ? byte ^ 1 : byte));
    assert.equal(verify("abc", other), false, `byte ${at}`);
  }
});

describe("a signature over an artifact by Ed25519ph", () => {
  test("verifies over the digest that the bundle names, or over the artifact's bytes", () => {
    const trust = trustIn(signer);
    assert.equal(verifyBundle(blob(signer, "sha512"), trust).signer.case, "key");
    assert.equal(verifyBundle(blob(signer, "sha256"), trust, artifact.bytes).signer.case, "key");
    const other = blob(signer, "sha512", Buffer.from("another"));
    assert.throws(() => verifyBundle(other, trust, artifact.bytes), { code: "unknown-key" });
  });

  test("is tried after a plain one, which takes less", () => {
    const plain = named("ed25519");
    const spki = plain.publicKey.export({ type: "spki", format: "der" });
    const run = examine(bytesOf(blob(plain, "sha256")), trustIn(signer, plain), artifact.bytes);
    let step = run.next();
    while (!step.done) {
      assert.ok(!step.value.some(isInJavaScript));
      step = run.next(step.value.map(({ key }) => isKeyOf(key, spki)));
    }
  });

  test("leaves a key of another kind its turn, however many Ed25519 keys are trusted", () => {
    const trust = trustIn(...Array.from({ length: 16 }, prehashedEd25519), named("p521"));
    assert.equal(verifyBundle(blob(named("p521"), "sha512"), trust).signer.case, "key");
  });

  test("where the bytes are not at hand, is told from a plain one by its failing alone, and nothing else is said", () => {
    const plain = named("ed25519");
    for (const hint of [undefined, "ed25519-0"]) {
      const bundle = blob(plain, "sha512", artifact.bytes, hint);
      assert.throws(() => verifyBundle(bundle, trustIn(plain)), { code: "unsupported-algorithm" });
      assert.equal(verifyBundle(bundle, trustIn(plain), artifact.bytes).signer.case, "key");
    }
  });
});

describe("an envelope that is signed by Ed25519ph", () => {
  const log = createRekorLog({ name: "log1.rekor.example", version: 2 });
  const root = {
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: [
      {
        baseUrl: "https://log1.rekor.example",
        hashAlgorithm: "SHA2_256",
        publicKey: {
          rawBytes: log.publicKey.toString("base64"),
          keyDetails: "PKIX_ED25519",
          validFor: { start: "2020-01-01T00:00:00Z" },
        },
        logId: { keyId: log.logId.toString("base64") },
      },
    ],
  };
  const trust = createTrust({
    sigstore: [{ name: "local", trustedRoot: root }],
    keys: [trustedKey(signer)],
  });
  const dsseEnvelope = envelope([signer]);

  /** As Rekor v2 enters it, which is told the digest of what is signed alone. */
  function entered(): LogEntry {
    const [one] = dsseEnvelope.signatures;
    const signed = preAuthenticationEncoding(
      dsseEnvelope.payloadType,
      Buffer.from(dsseEnvelope.payload, "base64"),
    );
    const spki = signer.publicKey.export({ type: "spki", format: "der" }).toString("base64");
    const hashedRekordV002 = {
      data: { algorithm: "SHA2_512", digest: hash("sha512", signed, "base64") },
      signature: {
        content: one?.sig ?? "",
        verifier: { keyDetails: "PKIX_ED25519_PH", publicKey: { rawBytes: spki } },
      },
    };
    const body = canonicalJson({ apiVersion: "0.0.2", kind: "hashedrekord", spec: { hashedRekordV002 } });
    const [entry] = log.enter([Buffer.from(body)]);
    assert.ok(entry?.proof);
    return entry;
  }

  test("verifies with the entry of a log", () => {
    const { body, logIndex, logId, proof } = entered();
    assert.ok(proof);
    const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
    const entry = {
      logIndex: `${logIndex}`,
      logId: { keyId: Buffer.from(logId, "hex").toString("base64") },
      kindVersion: { kind: "hashedrekord", version: "0.0.2" },
      canonicalizedBody: base64(body),
      inclusionProof: {
        logIndex: `${proof.leafIndex}`,
        treeSize: `${proof.treeSize}`,
        rootHash: base64(proof.rootHash),
        hashes: proof.hashes.map(base64),
        checkpoint: { envelope: proof.checkpoint },
      },
    };
    const bundle = { mediaType, verificationMaterial: { publicKey: {}, tlogEntries: [entry] }, dsseEnvelope };
    const { findings } = verifyBundle(bundle, trust);
    assert.deepEqual(
      findings.logEntries.map(({ kind }) => kind),
      ["hashedrekord 0.0.2"],
    );
  });

  test("is refused without one: DSSE's own tools sign by plain Ed25519", () => {
    const bundle = { mediaType, verificationMaterial: { publicKey: {} }, dsseEnvelope };
    assert.throws(() => verifyBundle(bundle, trust), { code: "unknown-key" });
  });
});
