import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { verifyNpmAttestations } from "../../src/verify/npm-attestations.ts";
import { bytesOf } from "./envelopes.ts";
import { NOW, type SignedBundles, signBundles } from "./signed-bundles.ts";

let signed: SignedBundles;
before(async () => {
  signed = await signBundles();
});
after(() => signed.sigstore.close());

test("an npm registry's attestations are verified one by one, with their labels", () => {
  const predicateType = "https://slsa.dev/provenance/v1";
  const npm = (attestations: unknown) => verifyNpmAttestations(bytesOf({ attestations }), signed.trust, NOW);
  assert.equal(
    npm([{ predicateType, bundle: signed.provenance }])[0]?.statement?.predicateType,
    predicateType,
  );
  assert.throws(() => npm([{ predicateType: "other", bundle: signed.provenance }]), {
    code: "malformed-statement",
  });
  for (const attestations of [[], {}, [{}], [1], Array(33).fill({})]) {
    assert.throws(() => npm(attestations), { code: "unknown-evidence-format" });
  }
  assert.throws(() => verifyNpmAttestations(Buffer.from("{"), signed.trust, NOW), {
    name: "VouchsafeError",
    code: "malformed-json",
  });
});
