import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import { createTrust } from "../../src/trust/snapshot.ts";
import { type Recorded, recall } from "../../src/verify/recall.ts";
import { assertVerified, type VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import { verifyEvidence } from "../../src/verify/verify-evidence.ts";
import { envelopeKey, signedEnvelope } from "../services/signed-envelope.ts";
import { bytesOf } from "./envelopes.ts";
import { type SignedBundles, signBundles, verifyBundle } from "./signed-bundles.ts";

/** What the log keeps of an attestation: of its signer no claims, and no findings. */
function recordOf({ id, signer, times }: VerifiedAttestation): Recorded {
  if (signer.case === "key") return { id, signer, times };
  const { claims: _, ...recorded } = signer;
  return { id, signer: recorded, times };
}

function factsOf({ id, payload, subjects, statement, signer, times }: VerifiedAttestation) {
  return { id, payload, subjects, ...(statement && { statement }), signer, times };
}

describe("evidence that is recalled", () => {
  let bundles: SignedBundles;
  before(async () => {
    bundles = await signBundles();
  });
  after(() => bundles.sigstore.close());

  test("says what it said when it was verified, and is not verified by that", () => {
    const { privateKey, pem } = envelopeKey();
    const { bytes } = signedEnvelope(privateKey);
    const trust = createTrust({ sigstore: [], keys: [{ name: "builder", publicKey: pem }] });
    const keyed = verifyEvidence(bytes, trust, Date.now());
    assert.deepEqual(recall(bytes, recordOf(keyed)), factsOf(keyed));
    for (const bundle of [bundles.provenance, bundles.blob]) {
      const verified = verifyBundle(bundle, bundles.trust);
      const recalled = recall(bytesOf(bundle), recordOf(verified));
      assert.deepEqual(recalled, factsOf(verified));
      assert.throws(() => assertVerified(recalled as never), TypeError);
    }
  });

  test("keeps what is known besides", () => {
    const verified = verifyBundle(bundles.provenance, bundles.trust);
    const { findings, signer } = verified;
    const recalled = recall(bytesOf(bundles.provenance), { ...recordOf(verified), signer, findings });
    assert.deepEqual(recalled, { ...factsOf(verified), findings });
  });

  test("is left to verification where bytes and record do not belong together", () => {
    const record = recordOf(verifyBundle(bundles.provenance, bundles.trust));
    const bytes = bytesOf(bundles.provenance);
    const { signer } = record;
    assert.equal(recall(bytesOf(bundles.blob), record), undefined);
    assert.equal(recall(bytes, { ...record, id: sha256("other") }), undefined);
    assert.ok(signer.case === "certificate");
    for (const other of [{ identity: "https://github.com/mallory" }, { issuer: "https://other.example" }]) {
      assert.equal(recall(bytes, { ...record, signer: { ...signer, ...other } }), undefined);
    }
    const garbage = Buffer.from('{"payloadType": 1}');
    assert.equal(recall(garbage, { ...record, id: sha256(garbage) }), undefined);
  });
});
