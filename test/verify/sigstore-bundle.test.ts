import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { sha256 } from "../../src/in-toto-attestation/index.ts";
import { embeddedPublicGood } from "../../src/trust/embedded.ts";
import { createTrust } from "../../src/trust/snapshot.ts";
import { verifyEvidence } from "../../src/verify/verify-evidence.ts";
import { actionsClaims, actionsIdentity } from "../sigstore/github-actions.ts";
import { type Sigstore, startSigstore } from "../sigstore/instance.ts";
import { slsaProvenance } from "../sigstore/provenance.ts";
import fc from "../support/fc.ts";
import { bytesOf } from "./envelopes.ts";
import {
  artifact,
  artifactDigest,
  type BundleJson,
  mutated,
  NOW,
  parseBundle,
  refuses,
  type SignedBundles,
  signBundles,
  verifyBundle,
  withEntry,
} from "./signed-bundles.ts";

let sigstore: Sigstore;
let local: SignedBundles["local"];
let trust: SignedBundles["trust"];
let provenance: BundleJson;
let blob: BundleJson;
before(async () => {
  ({ sigstore, local, trust, provenance, blob } = await signBundles());
});
after(() => sigstore.close());

describe("a bundle that a certificate signed", () => {
  test("says who signed what, when, and under which instance", () => {
    const attestation = verifyBundle(provenance, trust);
    const claims = actionsClaims();
    assert.ok(attestation.signer.case === "certificate");
    assert.equal(attestation.signer.issuer, claims.iss);
    assert.equal(attestation.signer.identity, actionsIdentity(claims));
    assert.equal(attestation.signer.instance, "local");
    assert.equal(attestation.signer.claims.sourceRepositoryDigest, claims.sha);
    assert.equal(attestation.signer.claims.runnerEnvironment, "github-hosted");
    assert.deepEqual(attestation.subjects, [{ name: artifact.name, digests: [artifactDigest] }]);
    assert.equal(attestation.id, sha256(bytesOf(provenance)));
    assert.equal(attestation.times.length, 2, "the log's time and the timestamp authority's");
    assert.deepEqual([...attestation.times].sort(), attestation.times);
  });

  test("counts no time that the log did not promise", () => {
    const without = mutated(provenance, (copy) => withEntry(copy, { inclusionPromise: undefined }));
    assert.equal(verifyBundle(without, trust).times.length, 1, "the timestamp authority's");
  });

  test("over a blob is verified from the digest alone", () => {
    const attestation = verifyBundle(blob, trust);
    assert.deepEqual(attestation.subjects, [{ digests: [artifactDigest] }]);
    assert.equal(attestation.statement, undefined);
  });

  test("verifies under the instance that issued the certificate, wherever that stands", async () => {
    const others = createTrust({ sigstore: [await embeddedPublicGood(), local], keys: [] });
    const { signer } = verifyBundle(provenance, others);
    assert.equal(signer.case === "certificate" && signer.instance, "local");
    const without = createTrust({ sigstore: [await embeddedPublicGood()], keys: [] });
    refuses(provenance, "certificate-invalid", without);
  });

  test("is refused when less is there than the trust document asks for", () => {
    const asking = (thresholds: object) => createTrust({ sigstore: [{ ...local, thresholds }], keys: [] });
    assert.doesNotThrow(() => verifyBundle(provenance, asking({ timestamps: 2 })));
    refuses(provenance, "time-unverified", asking({ timestamps: 3 }));
    refuses(provenance, "log-entry-invalid", asking({ logEntries: 2 }));
    refuses(provenance, "certificate-invalid", asking({ scts: 2 }));
  });

  test("is refused without witnesses, and with the same one twice", () => {
    refuses(provenance, "log-entry-invalid", trust, ({ verificationMaterial }) => {
      verificationMaterial.tlogEntries = [];
    });
    refuses(blob, "time-unverified", trust, ({ verificationMaterial }) => {
      verificationMaterial.tlogEntries = [];
    });
    refuses(blob, "malformed-bundle", trust, ({ verificationMaterial: { tlogEntries } }) => {
      // The same place of the log, whatever else is said of it.
      tlogEntries.push(...tlogEntries.map(({ inclusionPromise: _, ...entry }) => entry));
    });
    refuses(provenance, "malformed-bundle", trust, ({ verificationMaterial }) => {
      const stamps = verificationMaterial.timestampVerificationData?.rfc3161Timestamps ?? [];
      stamps.push(...stamps);
    });
  });

  test("is refused when the log's entry is of another signature", async () => {
    const later = parseBundle(await sigstore.signStatement(slsaProvenance([artifact])));
    refuses(provenance, "log-entry-invalid", trust, (copy) => {
      copy.verificationMaterial.tlogEntries = later.verificationMaterial.tlogEntries;
    });
  });

  test("is refused when its only time is one that no log promised", () => {
    refuses(blob, "time-unverified", trust, (copy) => withEntry(copy, { inclusionPromise: undefined }));
    refuses(blob, "log-entry-invalid", trust, (copy) => withEntry(copy, { integratedTime: "0" }));
  });

  test("is refused with a certificate from a time before the log's", async () => {
    const late = await startSigstore({ rekor: () => Date.now() + 3_600_000 });
    try {
      const bundle = parseBundle(await late.signStatement(slsaProvenance([artifact])));
      const under = createTrust({ sigstore: [{ name: "late", trustedRoot: late.trustedRoot }], keys: [] });
      refuses(bundle, "certificate-invalid", under);
    } finally {
      await late.close();
    }
  });
});

test("whatever is changed in a bundle, what verifies is what was signed, by whom, and when", () => {
  const text = JSON.stringify(provenance);
  const original = verifyBundle(provenance, trust);
  fc.assert(
    fc.property(
      fc.nat(text.length - 1),
      fc.constantFrom("A", "B", "=", "0", "9", '"', "{", "\\"),
      (at, character) => {
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        try {
          const { signer, subjects, statement, times } = verifyEvidence(Buffer.from(changed), trust, NOW);
          const { signer: s, subjects: a, statement: t } = original;
          assert.deepEqual({ signer, subjects, statement }, { signer: s, subjects: a, statement: t });
          // One bad time does not veto a good one: there may be fewer, and there is never another.
          assert.ok(times.length > 0 && times.every((time) => original.times.includes(time)));
        } catch (error) {
          if (!(error instanceof VouchsafeError)) throw error;
        }
      },
    ),
    { numRuns: 400 },
  );
});
