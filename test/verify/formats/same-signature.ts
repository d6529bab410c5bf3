import { createHash } from "node:crypto";
import { derChildren, readDer } from "../../../src/der/reader.ts";
import { writePem } from "../../../src/x509/pem.ts";
import { bytesOf } from "../envelopes.ts";
import type { BundleJson } from "../signed-bundles.ts";

// The signature of one bundle, with its certificate, log entry and timestamp, written in the other formats.

export function certificatePem(bundle: BundleJson): string {
  const { certificate, x509CertificateChain } = bundle.verificationMaterial;
  const leaf = certificate ?? x509CertificateChain?.certificates[0];
  return writePem("CERTIFICATE", decoded(leaf?.rawBytes));
}

/** As slsa-github-generator wrote envelopes: the certificate and nothing that says when. */
export function legacyEnvelope(bundle: BundleJson) {
  const { payload, payloadType, signatures } = bundle.dsseEnvelope;
  const cert = certificatePem(bundle);
  return { payload, payloadType, signatures: signatures.map(({ sig }) => ({ keyid: "", sig, cert })) };
}

/** As witness writes envelopes. */
export function witnessEnvelope(bundle: BundleJson) {
  const { payload, payloadType, signatures } = bundle.dsseEnvelope;
  const data = timestampTokenOf(bundle);
  return {
    payload,
    payloadType,
    signatures: signatures.map(({ sig }) => ({
      keyid: "c0ffee",
      sig,
      certificate: Buffer.from(certificatePem(bundle)).toString("base64"),
      timestamps: [{ type: "tsp", data }],
    })),
  };
}

export function pypiAttestation(bundle: BundleJson) {
  const { dsseEnvelope, verificationMaterial } = bundle;
  return {
    version: 1,
    verification_material: {
      certificate: verificationMaterial.certificate?.rawBytes,
      transparency_entries: verificationMaterial.tlogEntries,
    },
    envelope: { statement: dsseEnvelope.payload, signature: dsseEnvelope.signatures[0]?.sig },
  };
}

/** As cosign 2 writes `--bundle`: in the place of a signature over the artifact `attest-blob` puts the envelope. */
export function cosignBundle(bundle: BundleJson) {
  const { dsseEnvelope, messageSignature } = bundle;
  return {
    base64Signature:
      dsseEnvelope === undefined ? messageSignature.signature : bytesOf(dsseEnvelope).toString("base64"),
    cert: Buffer.from(certificatePem(bundle)).toString("base64"),
    rekorBundle: rekorBundleOf(bundle),
  };
}

function rekorBundleOf(bundle: BundleJson) {
  const [entry] = bundle.verificationMaterial.tlogEntries;
  const { logId, inclusionPromise, canonicalizedBody } = entry as unknown as {
    logId: { keyId: string };
    inclusionPromise: { signedEntryTimestamp: string };
    canonicalizedBody: string;
  };
  return {
    SignedEntryTimestamp: inclusionPromise.signedEntryTimestamp,
    Payload: {
      body: canonicalizedBody,
      integratedTime: Number(entry?.integratedTime),
      logIndex: Number(entry?.logIndex),
      logID: decoded(logId.keyId).toString("hex"),
    },
  };
}

/** The descriptor of the layer that holds the envelope, as cosign 2 annotates it. */
export function layerDescriptor(bundle: BundleJson, envelope: Uint8Array) {
  return {
    mediaType: "application/vnd.dsse.envelope.v1+json",
    digest: `sha256:${createHash("sha256").update(envelope).digest("hex")}`,
    size: envelope.length,
    annotations: {
      "dev.cosignproject.cosign/signature": "",
      "dev.sigstore.cosign/certificate": certificatePem(bundle),
      "dev.sigstore.cosign/chain": certificatePem(bundle),
      "dev.sigstore.cosign/bundle": JSON.stringify(rekorBundleOf(bundle)),
      predicateType: "https://slsa.dev/provenance/v1",
    },
  };
}

/** The TimeStampToken in the bundle's TimeStampResp, which is its second member. */
function timestampTokenOf(bundle: BundleJson): string {
  const { rfc3161Timestamps } = bundle.verificationMaterial.timestampVerificationData as {
    rfc3161Timestamps: { signedTimestamp: string }[];
  };
  const response = decoded(rfc3161Timestamps[0]?.signedTimestamp);
  const [, token] = derChildren(readDer(response).content);
  if (token === undefined) throw new TypeError("the response holds no token");
  return Buffer.from(token.encoded).toString("base64");
}

function decoded(base64 = ""): Buffer {
  return Buffer.from(base64, "base64");
}
