import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { parseDigest, sha256 } from "../../src/in-toto-attestation/index.ts";
import { createTrust } from "../../src/trust/snapshot.ts";
import { requireSubject } from "../../src/verify/subject.ts";
import { envelope, SIGNERS, STATEMENT, trustedKey } from "./envelopes.ts";
import { artifactDigest, type SignedBundles, signBundles, verifyBundle } from "./signed-bundles.ts";

let signed: SignedBundles;
before(async () => {
  signed = await signBundles();
});
after(() => signed.sigstore.close());

test("the artifact must be among the subjects, by a digest that can ground an allow", () => {
  const attestation = verifyBundle(signed.provenance, signed.trust);
  assert.doesNotThrow(() => requireSubject(attestation, [sha256(Buffer.from("other")), artifactDigest]));
  for (const digests of [[], [sha256(Buffer.from("other"))]]) {
    assert.throws(() => requireSubject(attestation, digests), { code: "subject-mismatch" });
  }
});

test("a subject that is named by a weak digest alone is not named", () => {
  const [signer] = SIGNERS;
  assert.ok(signer);
  const sha1 = "5".repeat(40);
  const statement = { ...STATEMENT, subject: [{ name: "widget.tgz", digest: { sha1 } }] };
  const keys = createTrust({ sigstore: [], keys: [trustedKey(signer)] });
  const attestation = verifyBundle(envelope([signer], { statement }), keys);
  assert.deepEqual(attestation.subjects[0]?.digests, [`sha1:${sha1}`]);
  assert.throws(() => requireSubject(attestation, [parseDigest(`sha1:${sha1}`)]), {
    code: "subject-mismatch",
  });
});
