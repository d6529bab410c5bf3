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

test("a late timestamp does not count, and takes nothing away from the log's good time", () => {
  const { findings } = verifyBundle(bundle, asking(1));
  assert.deepEqual(
    findings.times.map(({ source }) => source),
    ["log"],
  );
  assert.throws(() => verifyBundle(bundle, asking(2)), { code: "time-unverified" });
});

function asking(timestamps: number): TrustSnapshot {
  const { trustedRoot } = sigstore;
  return createTrust({ sigstore: [{ name: "local", trustedRoot, thresholds: { timestamps } }], keys: [] });
}
