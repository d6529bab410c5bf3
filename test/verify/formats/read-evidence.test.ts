import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createTrust, type TrustSnapshot } from "../../../src/trust/snapshot.ts";
import { embedLayer } from "../../../src/verify/formats/oci-layer.ts";
import { verifyEvidence } from "../../../src/verify/verify-evidence.ts";
import { writePem } from "../../../src/x509/pem.ts";
import { bytesOf } from "../envelopes.ts";
import { NOW, type SignedBundles, signBundles } from "../signed-bundles.ts";
import {
  certificatePem,
  layerDescriptor,
  legacyEnvelope,
  pypiAttestation,
  witnessEnvelope,
} from "./same-signature.ts";

let signed: SignedBundles;
before(async () => {
  signed = await signBundles();
});
after(() => signed.sigstore.close());

const verify = (document: unknown, trust = signed.trust) => verifyEvidence(bytesOf(document), trust, NOW);

function refuses(code: string, document: unknown, trust = signed.trust): void {
  assert.throws(() => verify(document, trust), { name: "VouchsafeError", code });
}

describe("PyPI's attestation objects", () => {
  test("verify as the bundle does that they were made of", () => {
    const attestation = verify(pypiAttestation(signed.provenance));
    assert.equal(attestation.mediaType, "application/vnd.pypi.attestation.v1+json");
    assert.deepEqual(attestation.statement, verify(signed.provenance).statement);
    assert.deepEqual(attestation.signer, verify(signed.provenance).signer);
  });

  const changes: Record<string, (document: ReturnType<typeof pypiAttestation>) => object> = {
    "another version": (document) => ({ ...document, version: 2 }),
    "a version that is no number": (document) => ({ ...document, version: "1" }),
    "an unknown member": (document) => ({ ...document, publisher: {} }),
    "no log entry": (document) => ({
      ...document,
      verification_material: { ...document.verification_material, transparency_entries: [] },
    }),
    "no certificate": (document) => ({
      ...document,
      verification_material: { ...document.verification_material, certificate: null },
    }),
    "no statement": (document) => ({
      ...document,
      envelope: { ...document.envelope, statement: undefined },
    }),
  };
  for (const [name, change] of Object.entries(changes)) {
    test(`are refused with ${name}`, () =>
      refuses("malformed-bundle", change(pypiAttestation(signed.provenance))));
  }
});

describe("DSSE envelopes with a certificate", () => {
  test("are refused when nothing says when they were signed", () => {
    refuses("time-unverified", legacyEnvelope(signed.provenance));
  });

  test("of witness verify under a private root that issued certificate and timestamp", () => {
    const attestation = verify(witnessEnvelope(signed.provenance), privateRoots());
    assert.equal(attestation.signer.case, "certificate");
    assert.equal(attestation.times.length, 1);
  });

  test("have one certificate each, and timestamps of RFC 3161 alone", () => {
    const { signatures, ...envelope } = witnessEnvelope(signed.provenance);
    const [signature] = signatures;
    const pem = certificatePem(signed.provenance);
    const tokens = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ type: "tsp", data: Buffer.of(i).toString("base64") }));
    const hostile = {
      "both kinds of certificate": { cert: pem },
      "two certificates in one": { certificate: Buffer.from(pem + pem).toString("base64") },
      "no certificate in the PEM": { certificate: Buffer.from("").toString("base64") },
      "a key for a certificate": {
        certificate: Buffer.from(writePem("PUBLIC KEY", Buffer.of(1))).toString("base64"),
      },
      "a certificate that is no text": { certificate: 1 },
      "a timestamp of another type": { timestamps: [{ type: "roughtime", data: "AA==" }] },
      "33 timestamps": { timestamps: tokens(33) },
      "a timestamp twice": { timestamps: Array(2).fill(signature?.timestamps[0]) },
      "9 intermediates": { intermediates: Array(9).fill(Buffer.from(pem).toString("base64")) },
    };
    for (const [name, change] of Object.entries(hostile)) {
      assert.throws(
        () => verify({ ...envelope, signatures: [{ ...signature, ...change }] }, privateRoots()),
        { code: "malformed-bundle" },
        name,
      );
    }
    const many = { ...signature, timestamps: tokens(17) };
    refuses("malformed-bundle", { ...envelope, signatures: [many, many] }, privateRoots());
  });

  /** The test's own Fulcio and timestamp authority, as if they were a company's. */
  function privateRoots(): TrustSnapshot {
    const { certificateAuthorities, timestampAuthorities } = signed.sigstore.trustedRoot as unknown as Record<
      "certificateAuthorities" | "timestampAuthorities",
      { certChain: { certificates: { rawBytes: string }[] } }[]
    >;
    const pem = (authorities: typeof certificateAuthorities) =>
      authorities
        .flatMap(({ certChain }) => certChain.certificates)
        .map(({ rawBytes }) => writePem("CERTIFICATE", Buffer.from(rawBytes, "base64")))
        .join("");
    return createTrust({
      sigstore: [],
      keys: [],
      x509: [
        { name: "ca", certificates: pem(certificateAuthorities), uses: ["attestations"] },
        { name: "tsa", certificates: pem(timestampAuthorities), uses: ["timestamps"] },
      ],
    });
  }
});

describe("cosign's layers", () => {
  const envelopeOf = () => bytesOf(signed.provenance.dsseEnvelope);
  const layer = (change: (descriptor: ReturnType<typeof layerDescriptor>) => object = (same) => same) => {
    const descriptor = change(layerDescriptor(signed.provenance, envelopeOf()));
    return embedLayer(JSON.parse(JSON.stringify(descriptor)), envelopeOf());
  };
  const verifyLayer = (bytes: Uint8Array) => verifyEvidence(bytes, signed.trust, NOW);

  test("verify with the envelope that they describe, by the log's promise", () => {
    const attestation = verifyLayer(layer());
    assert.equal(attestation.mediaType, "application/vnd.oci.descriptor.v1+json");
    assert.deepEqual(attestation.statement, verify(signed.provenance).statement);
    assert.deepEqual(
      attestation.findings.logEntries.map(({ proven }) => proven),
      [false],
    );
  });

  const annotated = (annotations: object) => (descriptor: ReturnType<typeof layerDescriptor>) => ({
    ...descriptor,
    annotations: { ...descriptor.annotations, ...annotations },
  });
  const hostile: Record<string, { change: Parameters<typeof layer>[0]; code: string }> = {
    "another blob's digest": {
      change: (descriptor) => ({ ...descriptor, digest: `sha256:${"0".repeat(64)}` }),
      code: "malformed-bundle",
    },
    "another blob's size": {
      change: (descriptor) => ({ ...descriptor, size: descriptor.size + 1 }),
      code: "malformed-bundle",
    },
    "a media type that is no envelope's": {
      change: (descriptor) => ({ ...descriptor, mediaType: "text/plain" }),
      code: "malformed-bundle",
    },
    "simple signing": {
      change: (descriptor) => ({
        ...descriptor,
        mediaType: "application/vnd.dev.cosign.simplesigning.v1+json",
      }),
      code: "unknown-evidence-format",
    },
    "annotations that are no strings": {
      change: annotated({ "dev.sigstore.cosign/certificate": 1 }),
      code: "malformed-bundle",
    },
    "a bundle that is no JSON": {
      change: annotated({ "dev.sigstore.cosign/bundle": "{" }),
      code: "malformed-json",
    },
    "no log entry": {
      change: annotated({ "dev.sigstore.cosign/bundle": undefined }),
      code: "time-unverified",
    },
  };
  for (const [name, { change, code }] of Object.entries(hostile)) {
    test(`are refused with ${name}`, () => {
      assert.throws(() => verifyLayer(layer(change)), { name: "VouchsafeError", code });
    });
  }
});

test("a document says by its members which format it is, and one that says none is refused", () => {
  for (const document of [{}, { version: 1 }, { bundle: signed.provenance }, { annotations: {} }]) {
    refuses("unknown-evidence-format", document);
  }
  refuses("malformed-bundle", { ...signed.provenance, digest: "sha256:" });
});
