import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ProjectId } from "../../src/custody/events.ts";
import { VouchsafeError } from "../../src/errors.ts";
import { createVerifier } from "../../src/services/verification/verifier.ts";
import { createTrust, type TrustSnapshot } from "../../src/trust/snapshot.ts";
import { verifyEvidence } from "../../src/verify/verify-evidence.ts";
import { parseCertificate } from "../../src/x509/certificate.ts";
import { bytesOf, envelope, SIGNERS, trustedKey } from "./envelopes.ts";
import { type BundleJson, type SignedBundles, signBundles, withEntry } from "./signed-bundles.ts";

const PROJECT = "p" as ProjectId;

let signed: SignedBundles;
/** Moments at which somebody may verify, with what has ended by then. Milliseconds since the epoch. */
let moments: Record<string, number>;
before(async () => {
  signed = await signBundles();
  const { provenance, trust } = signed;
  const leaf = parseCertificate(
    Buffer.from(provenance.verificationMaterial.certificate?.rawBytes ?? "", "base64"),
  );
  const chains = trust.instances.flatMap(({ certificateAuthorities, timestampAuthorities }) =>
    [...certificateAuthorities, ...timestampAuthorities].flatMap(({ chain }) => chain),
  );
  const ends = chains.map(({ certificate }) => certificate.notAfter);
  const [signedAt = 0] = verifyEvidence(bytesOf(provenance), trust, 0).times;
  moments = {
    "a minute after it was signed": signedAt + 60_000,
    "when the signing certificate has ended": leaf.notAfter + 1,
    "when the first authority's has ended": Math.min(...ends) + 1,
    "when every authority's, to the root, has ended": Math.max(...ends) + 1,
    "in 2050": Date.UTC(2050, 0),
    "before anything began": 0,
  };
  assert.ok(leaf.notAfter < Math.min(...ends) && Math.max(...ends) < Date.UTC(2050, 0));
});
after(() => signed.sigstore.close());

/** The whole answer as text, of a refusal too. */
function answerAt(bytes: Uint8Array, trust: TrustSnapshot, at: number): string {
  try {
    return JSON.stringify(verifyEvidence(bytes, trust, at));
  } catch (error) {
    if (!(error instanceof VouchsafeError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

describe("what was signed under a trusted time verifies alike for ever:", () => {
  const changes: Record<string, (bundle: BundleJson) => void> = {
    "a bundle that verifies": () => {},
    "one whose log promised nothing": (bundle) => withEntry(bundle, { inclusionPromise: undefined }),
    "one that is refused": (bundle) => withEntry(bundle, { logIndex: "1" }),
    "one that no time vouches for": ({ verificationMaterial }) => {
      verificationMaterial.tlogEntries = [];
      verificationMaterial.timestampVerificationData = undefined;
    },
  };
  for (const [name, change] of Object.entries(changes)) {
    test(name, async () => {
      const bundle = structuredClone(signed.provenance);
      change(bundle);
      const bytes = bytesOf(bundle);
      const answers = Object.values(moments).map((at) => answerAt(bytes, signed.trust, at));
      assert.equal(new Set(answers).size, 1, answers.join("\n"));
      // A second time, by the service and by the library besides.
      const verifier = createVerifier({ mode: "require", report: () => {} });
      const outcomes = await Promise.all(
        Object.values(moments).map((at) =>
          verifier.verify(PROJECT, bytes, signed.trust, at).then(JSON.stringify, ({ code }) => code),
        ),
      );
      assert.equal(new Set(outcomes).size, 1, outcomes.join("\n"));
      assert.equal(outcomes[0]?.startsWith("{"), answers[0]?.startsWith("{"));
    });
  }
});

test("what a key signed without a trusted time changes at the ends of the key's validity, and nowhere else", () => {
  const [signer] = SIGNERS;
  assert.ok(signer);
  const [from, until] = [Date.UTC(2030, 0), Date.UTC(2040, 0)];
  const key = trustedKey(signer, {
    validFrom: new Date(from).toISOString(),
    validUntil: new Date(until).toISOString(),
  });
  const trust = createTrust({ sigstore: [], keys: [key] });
  const bytes = bytesOf(envelope([signer]));
  const held = answerAt(bytes, trust, from);
  assert.ok(held.startsWith("{"), held);
  for (const at of [from, from + 1, (from + until) / 2, until]) {
    assert.equal(answerAt(bytes, trust, at), held);
  }
  for (const at of [0, from - 1, until + 1, Date.UTC(2050, 0)]) {
    assert.match(answerAt(bytes, trust, at), /^time-unverified: /);
  }
});
