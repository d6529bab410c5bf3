import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { bundleFromJSON } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
import { createTrust } from "../../src/trust/snapshot.ts";
import { verifyEvidence } from "../../src/verify/verify-evidence.ts";
import { actionsClaims, actionsIdentity } from "./github-actions.ts";
import { type SignOptions, type Sigstore, startSigstore } from "./instance.ts";
import { slsaProvenance } from "./provenance.ts";

const artifact = { name: "widget.tgz", bytes: Buffer.from("the widget") };
const HOUR = 3_600_000;

let sigstore: Sigstore;
before(async () => {
  // Whole seconds: @sigstore/core cannot read a fraction whose last digit is a dropped zero.
  sigstore = await startSigstore({ tiles: true, tsa: () => Math.ceil(Date.now() / 1000) * 1000 });
});
after(() => sigstore.close());

function verifyWith(instance: Sigstore, bundle: Uint8Array, blob?: Buffer) {
  const parsed = bundleFromJSON(JSON.parse(Buffer.from(bundle).toString()));
  const verifier = new Verifier(toTrustMaterial(TrustedRoot.fromJSON(instance.trustedRoot)));
  return verifier.verify(toSignedEntity(parsed, blob));
}

describe("what the local Sigstore instance signs verifies, with @sigstore/verify and with ours", () => {
  const ways: { name: string; options: SignOptions }[] = [
    { name: "logged as dsse 0.0.1", options: {} },
    { name: "logged as intoto 0.0.2", options: { entryType: "intoto" } },
    { name: "timestamped besides", options: { witnesses: ["rekor", "tsa"] } },
    { name: "as bundle version 0.2", options: { asVersion02: true } },
    { name: "logged in tiles as hashedrekord 0.0.2", options: { witnesses: ["rekor-tiles", "tsa"] } },
    { name: "logged twice", options: { witnesses: ["rekor", "rekor-tiles"] } },
  ];
  for (const { name, options } of ways) {
    test(name, async () => {
      const bundle = await sigstore.signStatement(slsaProvenance([artifact]), options);
      const { identity } = verifyWith(sigstore, bundle);
      const claims = actionsClaims();
      assert.equal(identity?.subjectAlternativeName, actionsIdentity(claims));
      assert.equal(identity?.extensions?.issuer, claims.iss);

      const trust = createTrust({
        sigstore: [{ name: "local", trustedRoot: sigstore.trustedRoot }],
        keys: [],
      });
      const { signer } = verifyEvidence(bundle, trust, Date.now());
      assert.ok(signer.case === "certificate");
      assert.equal(signer.identity, actionsIdentity(claims));
      assert.equal(signer.claims.sourceRepositoryUri, `https://github.com/${claims.repository}`);
      assert.equal(signer.claims.sourceRepositoryDigest, claims.sha);
    });
  }

  test("a blob's own signature, logged as hashedrekord 0.0.1", async () => {
    const bundle = await sigstore.signBlob(artifact.bytes);
    verifyWith(sigstore, bundle, artifact.bytes);
    assert.throws(() => verifyWith(sigstore, bundle, Buffer.from("another widget")));
  });

  test("a blob's own signature, logged in tiles", async () => {
    verifyWith(
      sigstore,
      await sigstore.signBlob(artifact.bytes, { witnesses: ["rekor-tiles", "tsa"] }),
      artifact.bytes,
    );
  });

  test("every entry of a growing log", async () => {
    for (let run = 0; run < 20; run++) {
      const claims = actionsClaims({ runId: `${run}` });
      verifyWith(sigstore, await sigstore.signStatement(slsaProvenance([artifact], claims), { claims }));
    }
  });
});

describe("what must be refused can be made", () => {
  test("a bundle that nobody witnessed", async () => {
    const bundle = await sigstore.signStatement(slsaProvenance([artifact]), { witnesses: [] });
    assert.throws(() => verifyWith(sigstore, bundle), { code: "TIMESTAMP_ERROR" });
  });

  test("a bundle logged in tiles, where no times are, without a timestamp", async () => {
    const bundle = await sigstore.signStatement(slsaProvenance([artifact]), { witnesses: ["rekor-tiles"] });
    assert.throws(() => verifyWith(sigstore, bundle), { code: "TIMESTAMP_ERROR" });
  });

  test("a certificate that expired before the log saw it", async () => {
    const late = await startSigstore({ rekor: () => Date.now() + HOUR });
    try {
      const bundle = await late.signStatement(slsaProvenance([artifact]));
      assert.throws(() => verifyWith(late, bundle), { code: "CERTIFICATE_ERROR" });
    } finally {
      await late.close();
    }
  });

  test("a bundle of another instance", async () => {
    const other = await startSigstore();
    try {
      const bundle = await other.signStatement(slsaProvenance([artifact]));
      assert.throws(() => verifyWith(sigstore, bundle));
    } finally {
      await other.close();
    }
  });
});

test("the log refuses an entry whose signature its key did not make", async () => {
  const bundle = JSON.parse(Buffer.from(await sigstore.signBlob(artifact.bytes)).toString());
  const [entry] = bundle.verificationMaterial.tlogEntries;
  const proposed = JSON.parse(Buffer.from(entry.canonicalizedBody, "base64").toString());
  const propose = (body: object) =>
    fetch(`${sigstore.rekorUrl}/api/v1/log/entries`, { method: "POST", body: JSON.stringify(body) });
  assert.equal((await propose(proposed)).status, 409, "the entry is there already");
  proposed.spec.data.hash.value = createHash("sha256").update("another widget").digest("hex");
  assert.equal((await propose(proposed)).status, 400);
});
