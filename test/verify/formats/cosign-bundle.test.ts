import assert from "node:assert/strict";
import { generateKeyPairSync, hash, sign } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { createTrust } from "../../../src/trust/snapshot.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import { enter } from "../../sigstore/rekor-search.ts";
import { type KeySigner, trustedKey } from "../envelopes.ts";
import {
  artifact,
  artifactDigest,
  type BundleJson,
  parseBundle,
  type SignedBundles,
  signBundles,
  verifyBundle,
} from "../signed-bundles.ts";
import { certificatePem, cosignBundle } from "./same-signature.ts";

const OTHER = Buffer.from("another");
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const release: KeySigner = {
  name: "release",
  publicKey,
  hash: "sha256",
  sign: (bytes) => sign("sha256", bytes, privateKey),
};
const keyPem = trustedKey(release).publicKey;
const inBase64 = (text: string) => Buffer.from(text).toString("base64");

let signed: SignedBundles;
/** What `sign-blob` and `attest-blob` write for a certificate of the local instance, and `sign-blob --key`. */
let blob: ReturnType<typeof cosignBundle>;
let attested: ReturnType<typeof cosignBundle>;
let keyed: object;
before(async () => {
  signed = await signBundles();
  [blob, attested] = [cosignBundle(signed.blob), cosignBundle(signed.provenance)];
  const signature = release.sign(artifact.bytes).toString("base64");
  keyed = { base64Signature: signature, rekorBundle: await logged(signature) };
});
after(() => signed.sigstore.close());

/** What cosign keeps of Rekor's answer about a signature of the key over the artifact. */
async function logged(content: string) {
  const answer = await enter(signed.sigstore.rekorUrl, {
    apiVersion: "0.0.1",
    kind: "hashedrekord",
    spec: {
      data: { hash: { algorithm: "sha256", value: hash("sha256", artifact.bytes) } },
      signature: { content, publicKey: { content: inBase64(keyPem) } },
    },
  });
  const [entry] = Object.values(answer) as { verification: { signedEntryTimestamp: string } }[];
  assert.ok(entry);
  const { verification, ...Payload } = entry;
  return { SignedEntryTimestamp: verification.signedEntryTimestamp, Payload };
}

const withKey = () => createTrust({ sigstore: [signed.local], keys: [trustedKey(release)] });

function refuses(code: string, document: unknown, message?: Uint8Array, trust = signed.trust): void {
  assert.throws(() => verifyBundle(document, trust, message), { name: "VouchsafeError", code });
}

describe("cosign's own bundle", () => {
  test("of sign-blob verifies by the artifact, and by the digest that its log entry names", () => {
    for (const message of [artifact.bytes, undefined]) {
      const attestation = verifyBundle(blob, signed.trust, message);
      assert.equal(attestation.mediaType, "application/vnd.dev.cosign.bundle+json");
      assert.deepEqual(attestation.subjects, [{ digests: [artifactDigest] }]);
      assert.deepEqual(attestation.signer, verifyBundle(signed.blob, signed.trust).signer);
      assert.equal(attestation.times.length, 1, "the log's");
    }
    assert.doesNotThrow(() => verifyBundle({ ...blob, cert: certificatePem(signed.blob) }, signed.trust));
  });

  test("of attest-blob says what its envelope says, with either kind of log entry", async () => {
    const statement = slsaProvenance([artifact]);
    const logged: BundleJson = parseBundle(
      await signed.sigstore.signStatement(statement, { entryType: "intoto" }),
    );
    for (const document of [attested, cosignBundle(logged)]) {
      const attestation = verifyBundle(document, signed.trust);
      assert.deepEqual(attestation.statement, verifyBundle(signed.provenance, signed.trust).statement);
      assert.equal(attestation.signer.case, "certificate");
    }
  });

  test("that a key signed verifies with that key of the trust, whatever stands in it", () => {
    for (const cert of [undefined, null, "", keyPem, inBase64(keyPem)]) {
      const { signer, subjects, times } = verifyBundle({ ...keyed, cert }, withKey());
      assert.deepEqual([signer.case === "key" && signer.name, times.length], ["release", 1]);
      assert.deepEqual(subjects, [{ digests: [artifactDigest] }]);
    }
    refuses("unknown-key", { ...keyed, cert: inBase64(keyPem) });
    refuses("log-entry-invalid", { ...keyed, rekorBundle: blob.rekorBundle }, artifact.bytes, withKey());
  });

  test("that no log was told of holds by a key, over the artifact itself", () => {
    const unlogged = { ...keyed, rekorBundle: null };
    assert.deepEqual(verifyBundle(unlogged, withKey(), artifact.bytes).times, []);
    refuses("unknown-key", unlogged, OTHER, withKey());
    refuses("malformed-bundle", unlogged, undefined, withKey());
    for (const document of [blob, attested]) {
      refuses("time-unverified", { ...document, rekorBundle: undefined }, artifact.bytes);
    }
  });

  test("is refused over another artifact, with another entry, and altered", async () => {
    refuses("log-entry-invalid", blob, OTHER);
    const later = cosignBundle(parseBundle(await signed.sigstore.signBlob(OTHER)));
    refuses("log-entry-invalid", { ...blob, rekorBundle: later.rekorBundle });
    refuses("log-entry-invalid", { ...attested, rekorBundle: blob.rekorBundle });
    refuses("log-entry-invalid", { ...blob, rekorBundle: attested.rekorBundle }, artifact.bytes);
    refuses("log-entry-invalid", { ...blob, base64Signature: later.base64Signature });
    refuses("log-entry-invalid", { ...blob, cert: later.cert });
    const envelope = Buffer.from(attested.base64Signature, "base64").toString();
    refuses("log-entry-invalid", { ...attested, base64Signature: inBase64(`${envelope} `) });
  });

  const [entry, payload] = [() => blob.rekorBundle, () => blob.rekorBundle.Payload];
  const malformed: Record<string, () => object> = {
    "an unknown member": () => ({ ...blob, payload: "" }),
    "a signature that is no base64": () => ({ ...blob, base64Signature: "?" }),
    "no signature": () => ({ ...blob, base64Signature: "" }),
    "a certificate that is no PEM": () => ({ ...blob, cert: inBase64("certificate") }),
    "a certificate that is no text": () => ({ ...blob, cert: {} }),
    "two certificates": () => ({ ...blob, cert: certificatePem(signed.blob).repeat(2) }),
    "a private key": () => ({ ...blob, cert: keyPem.replaceAll("PUBLIC", "PRIVATE") }),
    "an unknown member of the log entry": () => ({ ...blob, rekorBundle: { ...entry(), more: 1 } }),
    "a log entry without its promise": () => ({
      ...blob,
      rekorBundle: { ...entry(), SignedEntryTimestamp: null },
    }),
    "a log index that is a text": () => ({
      ...blob,
      rekorBundle: { ...entry(), Payload: { ...payload(), logIndex: "1" } },
    }),
    "two signatures in the envelope": () => {
      const envelope = JSON.parse(Buffer.from(attested.base64Signature, "base64").toString());
      envelope.signatures.push(...envelope.signatures);
      return { ...attested, base64Signature: inBase64(JSON.stringify(envelope)) };
    },
  };
  for (const [name, document] of Object.entries(malformed)) {
    test(`is refused with ${name}`, () => refuses("malformed-bundle", document(), artifact.bytes));
  }
});
