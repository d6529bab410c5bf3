import { type JsonObject, type JsonValue, parseEnvelope } from "../../in-toto-attestation/index.ts";
import { SignedBytes } from "../signed.ts";
import type { ClaimedSigner, Content, EvidenceSignature, SignedEvidence } from "../signed-evidence.ts";
import { base64, distinctTimestamps, isAbsent, items, known, malformed } from "./members.ts";
import { readTransparencyLogEntries } from "./transparency-log-entry.ts";

interface Version {
  /** What each log entry must have: v0.1 the log's promise, later ones an inclusion proof; they may have both. */
  readonly needs: "promise" | "proof";
  readonly takesChain: boolean;
}

const V01: Version = { needs: "promise", takesChain: true };
const V02: Version = { needs: "proof", takesChain: true };
const V03: Version = { needs: "proof", takesChain: false };

/** Sigstore bundle media types (sigstore/protobuf-specs sigstore_bundle.proto). */
const VERSIONS: ReadonlyMap<JsonValue | undefined, Version> = new Map([
  ["application/vnd.dev.sigstore.bundle+json;version=0.1", V01],
  ["application/vnd.dev.sigstore.bundle+json;version=0.2", V02],
  ["application/vnd.dev.sigstore.bundle+json;version=0.3", V03],
  ["application/vnd.dev.sigstore.bundle.v0.1+json", V01],
  ["application/vnd.dev.sigstore.bundle.v0.2+json", V02],
  ["application/vnd.dev.sigstore.bundle.v0.3+json", V03],
]);

/** Names of protobuf-specs' HashAlgorithm → of node:crypto and our digests, with the length in bytes. */
const MESSAGE_DIGESTS: ReadonlyMap<JsonValue | undefined, readonly [string, number]> = new Map([
  ["SHA2_256", ["sha256", 32]],
  ["SHA2_384", ["sha384", 48]],
  ["SHA2_512", ["sha512", 64]],
]);

const MAX_TIMESTAMPS = 32;
const MAX_CERTIFICATES = 8;

const BUNDLE = new Set(["mediaType", "verificationMaterial", "dsseEnvelope", "messageSignature"]);
const MATERIAL = new Set([
  "certificate",
  "x509CertificateChain",
  "publicKey",
  "tlogEntries",
  "timestampVerificationData",
]);
const MESSAGE = new Set(["messageDigest", "signature"]);
const MESSAGE_DIGEST = new Set(["algorithm", "digest"]);
const PUBLIC_KEY = new Set(["hint", "rawBytes", "keyDetails"]);
const CHAIN = new Set(["certificates"]);
const CERTIFICATE = new Set(["rawBytes"]);
const TIMESTAMPS = new Set(["rfc3161Timestamps"]);
const TIMESTAMP = new Set(["signedTimestamp"]);

/**
 * Reads a Sigstore bundle, v0.1 to v0.3, as its version defines it: known members only, base64 in its canonical
 * spelling, whole numbers as decimal strings, bounded counts.
 *
 * Throws `VouchsafeError` (`malformed-bundle`) or `AttestationFormatError`.
 */
export function readSigstoreBundle(json: JsonObject): SignedEvidence {
  const { mediaType } = known(json, "bundle", BUNDLE);
  const version = VERSIONS.get(mediaType);
  if (typeof mediaType !== "string" || version === undefined) throw malformed("the media type is not known");
  const material = known(json.verificationMaterial, "verificationMaterial", MATERIAL);
  const logEntries = readTransparencyLogEntries(material.tlogEntries, "tlogEntries");
  for (const { proof, signedEntryTimestamp } of logEntries) {
    if ((version.needs === "proof" ? proof : signedEntryTimestamp) === undefined) {
      throw malformed(`a log entry has no inclusion ${version.needs}`);
    }
  }
  const { content, signature } = readContent(json);
  const signed: EvidenceSignature = {
    signature,
    signer: readSigner(material, version),
    logEntries,
    timestamps: readTimestamps(material.timestampVerificationData),
  };
  return { mediaType, content, signatures: [signed] };
}

function readContent({ dsseEnvelope, messageSignature }: JsonObject): {
  content: Content;
  signature: Uint8Array;
} {
  if (isAbsent(dsseEnvelope) === isAbsent(messageSignature)) {
    throw malformed("it does not have exactly one of dsseEnvelope and messageSignature");
  }
  if (isAbsent(dsseEnvelope)) return readMessage(messageSignature);
  const { payloadType, payload, signatures } = parseEnvelope(dsseEnvelope);
  const [only, ...others] = signatures;
  if (only === undefined || others.length > 0) {
    throw malformed("its envelope does not have exactly one signature");
  }
  return {
    content: { case: "envelope", payloadType, payload: new SignedBytes(payload) },
    signature: only.sig,
  };
}

function readMessage(value: JsonValue | undefined): { content: Content; signature: Uint8Array } {
  const message = known(value, "messageSignature", MESSAGE);
  const signature = base64(message.signature, "signature");
  // A hint to find the artifact by: whoever has the artifact does without it (sigstore_bundle.proto).
  if (isAbsent(message.messageDigest)) return { content: { case: "message" }, signature };
  const { algorithm, digest } = known(message.messageDigest, "messageDigest", MESSAGE_DIGEST);
  const hash = MESSAGE_DIGESTS.get(algorithm);
  const bytes = base64(digest, "messageDigest.digest");
  if (hash === undefined || bytes.length !== hash[1]) throw malformed("messageDigest is not a SHA-2 digest");
  return { content: { case: "message", digest: { algorithm: hash[0], bytes } }, signature };
}

function readSigner(material: JsonObject, version: Version): ClaimedSigner {
  const { certificate, x509CertificateChain, publicKey } = material;
  if ([certificate, x509CertificateChain, publicKey].filter((one) => !isAbsent(one)).length !== 1) {
    throw malformed("it does not have exactly one of certificate, x509CertificateChain and publicKey");
  }
  if (!isAbsent(publicKey)) return readKeyHint(publicKey);
  if (!isAbsent(certificate)) {
    return { case: "certificate", leaf: readCertificate(certificate), intermediates: [] };
  }
  if (!version.takesChain) throw malformed("this version holds a single certificate and no chain");
  const { certificates } = known(x509CertificateChain, "x509CertificateChain", CHAIN);
  const [leaf, ...intermediates] = items(certificates, "certificates", MAX_CERTIFICATES).map(readCertificate);
  if (leaf === undefined) throw malformed("its certificate chain is empty");
  return { case: "certificate", leaf, intermediates };
}

function readKeyHint(value: JsonValue): ClaimedSigner {
  // Some writers put the key itself there. Only a key of the trust snapshot counts, whatever is claimed here.
  const { hint } = known(value, "publicKey", PUBLIC_KEY);
  if (isAbsent(hint) || hint === "") return { case: "key" };
  if (typeof hint !== "string") throw malformed("publicKey.hint is not a string");
  return { case: "key", hint };
}

function readTimestamps(value: JsonValue | undefined): readonly Uint8Array[] {
  if (isAbsent(value)) return [];
  const { rfc3161Timestamps } = known(value, "timestampVerificationData", TIMESTAMPS);
  const timestamps = items(rfc3161Timestamps, "rfc3161Timestamps", MAX_TIMESTAMPS).map((timestamp) =>
    base64(known(timestamp, "rfc3161Timestamp", TIMESTAMP).signedTimestamp, "signedTimestamp"),
  );
  return distinctTimestamps(timestamps, "rfc3161Timestamps");
}

function readCertificate(value: JsonValue): Uint8Array {
  return base64(known(value, "certificate", CERTIFICATE).rawBytes, "rawBytes");
}
