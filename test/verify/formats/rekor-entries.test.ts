import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { JsonObject, JsonValue } from "../../../src/in-toto-attestation/index.ts";
import { withLogEntries } from "../../../src/verify/formats/rekor-entries.ts";
import { verifyEvidence } from "../../../src/verify/verify-evidence.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import { enter, rekorAnswer } from "../../sigstore/rekor-search.ts";
import { bytesOf } from "../envelopes.ts";
import {
  artifact,
  type BundleJson,
  NOW,
  parseBundle,
  type SignedBundles,
  signBundles,
} from "../signed-bundles.ts";
import { certificatePem, legacyEnvelope } from "./same-signature.ts";

let signed: SignedBundles;
before(async () => {
  signed = await signBundles();
});
after(() => signed.sigstore.close());

describe("an envelope and what Rekor answers about it become evidence that verifies", () => {
  for (const entryType of ["dsse", "intoto"] as const) {
    test(`with an entry of kind ${entryType}`, async () => {
      const bundle = await sign(entryType);
      const joined = withLogEntries(bytesOf(legacyEnvelope(bundle)), [await answerAbout(bundle)]);
      const attestation = verifyEvidence(joined, signed.trust, NOW);
      assert.deepEqual(
        attestation.findings.logEntries.map(({ proven }) => proven),
        [true],
      );
      assert.deepEqual(attestation.statement, verifyEvidence(bytesOf(bundle), signed.trust, NOW).statement);
    });
  }

  test("with the certificate from the log, where the envelope has none", async () => {
    const bundle = await sign("dsse");
    const joined = withLogEntries(bytesOf(bundle.dsseEnvelope), [await answerAbout(bundle)]);
    assert.equal(verifyEvidence(joined, signed.trust, NOW).signer.case, "certificate");
  });

  test("with an entry of kind intoto 0.0.1, which is about the envelope's bytes", async () => {
    const bundle = await sign("dsse");
    const document = bytesOf(legacyEnvelope(bundle));
    const answer = await enterV1(bundle, document);
    const joined = withLogEntries(document, [answer]);
    const { mediaType, findings } = verifyEvidence(joined, signed.trust, NOW);
    assert.equal(mediaType, "application/vnd.oci.descriptor.v1+json");
    assert.deepEqual(
      findings.logEntries.map(({ kind }) => kind),
      ["intoto 0.0.1"],
    );
    const otherBytes = Buffer.concat([document, Buffer.from("\n")]);
    assert.throws(() => withLogEntries(otherBytes, [answer]), { code: "log-entry-invalid" });
  });
});

test("entries about other signatures are left out, and an envelope with none of its own is refused", async () => {
  const [bundle, other] = [await sign("dsse"), await sign("intoto")];
  const [own, others] = [await answerAbout(bundle), await answerAbout(other)];
  const joined = withLogEntries(bytesOf(legacyEnvelope(bundle)), [others, own]);
  assert.equal(parseBundle(joined).verificationMaterial.tlogEntries.length, 1);
  assert.throws(() => withLogEntries(bytesOf(legacyEnvelope(bundle)), [others]), {
    code: "log-entry-invalid",
  });
});

test("an entry that was answered twice is there once", async () => {
  const bundle = await sign("dsse");
  const answer = await answerAbout(bundle);
  const joined = withLogEntries(bytesOf(legacyEnvelope(bundle)), [answer, answer]);
  assert.equal(verifyEvidence(joined, signed.trust, NOW).findings.logEntries.length, 1);
});

test("what was answered is not believed: an entry with another time does not verify", async () => {
  const bundle = await sign("dsse");
  const [[uuid, entry] = ["", {}]] = Object.entries(await answerAbout(bundle));
  const later = { [uuid]: { ...entry, integratedTime: 1_700_000_000 } };
  const joined = withLogEntries(bytesOf(legacyEnvelope(bundle)), [later]);
  assert.throws(() => verifyEvidence(joined, signed.trust, NOW), { code: "log-entry-invalid" });
});

test("answers of another shape are refused", async () => {
  const bundle = await sign("dsse");
  const document = bytesOf(legacyEnvelope(bundle));
  const [[uuid, entry] = ["", {}]] = Object.entries(await answerAbout(bundle));
  const hostile: JsonValue[] = [
    [],
    { [uuid]: 1 },
    { [uuid]: { ...entry, body: 1 } },
    { [uuid]: { ...entry, logID: "../" } },
    { [uuid]: { ...entry, logIndex: -1 } },
    { [uuid]: { ...entry, verification: {} } },
  ];
  for (const answer of hostile) {
    assert.throws(() => withLogEntries(document, [answer]), { code: "malformed-bundle" });
  }
  const two = { ...bundle.dsseEnvelope, signatures: [...bundle.dsseEnvelope.signatures, { sig: "AA==" }] };
  assert.throws(() => withLogEntries(bytesOf(two), []), { code: "malformed-bundle" });
});

async function sign(entryType: "dsse" | "intoto"): Promise<BundleJson> {
  return parseBundle(await signed.sigstore.signStatement(slsaProvenance([artifact]), { entryType }));
}

async function answerAbout(bundle: BundleJson): Promise<Record<string, JsonObject>> {
  const [entry] = bundle.verificationMaterial.tlogEntries as unknown as { canonicalizedBody: string }[];
  const body = Buffer.from(entry?.canonicalizedBody ?? "", "base64");
  return (await rekorAnswer(signed.sigstore.rekorUrl, body)) as Record<string, JsonObject>;
}

async function enterV1(bundle: BundleJson, document: Buffer): Promise<Record<string, JsonObject>> {
  const publicKey = Buffer.from(certificatePem(bundle)).toString("base64");
  const spec = { content: { envelope: document.toString() }, publicKey };
  return (await enter(signed.sigstore.rekorUrl, { apiVersion: "0.0.1", kind: "intoto", spec })) as Record<
    string,
    JsonObject
  >;
}
