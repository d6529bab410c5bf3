import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createTrust, type TrustSnapshot } from "../../src/trust/snapshot.ts";
import { type Sigstore, startSigstore } from "../sigstore/instance.ts";
import { slsaProvenance } from "../sigstore/provenance.ts";
import { artifact, type BundleJson, parseBundle, verifyBundle } from "./signed-bundles.ts";

const HOUR = 3_600_000;

/** A timestamp authority that stamps when the certificate has long expired, beside a log that is on time. */
let sigstore: Sigstore;
let bundle: BundleJson;
before(async () => {
  sigstore = await startSigstore({ tsa: () => Math.ceil(Date.now() / 1000) * 1000 + HOUR });
  const statement = slsaProvenance([artifact]);
  bundle = parseBundle(await sigstore.signStatement(statement, { witnesses: ["rekor", "tsa"] }));
});
after(() => sigstore.close());

test("a trusted time outside of the certificate's life refuses it, whatever other times there are", () => {
  assert.throws(() => verifyBundle(bundle, asking(1)), { code: "certificate-invalid" });
});

test("a time that does not verify is no time, and takes nothing away from the log's good one", () => {
  const { timestampAuthorities, ...trustedRoot } = sigstore.trustedRoot;
  const unknowing = createTrust({ sigstore: [{ name: "local", trustedRoot }], keys: [] });
  const { findings } = verifyBundle(bundle, unknowing);
  assert.deepEqual(
    findings.times.map(({ source }) => source),
    ["log"],
  );
});

function asking(timestamps: number): TrustSnapshot {
  const { trustedRoot } = sigstore;
  return createTrust({ sigstore: [{ name: "local", trustedRoot, thresholds: { timestamps } }], keys: [] });
}
