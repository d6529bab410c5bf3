import { VouchsafeError } from "../errors.ts";
import { decodeEitherBase64 } from "../in-toto-attestation/base64.ts";
import {
  type Envelope,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseEnvelope,
} from "../in-toto-attestation/index.ts";

/** A Sigstore bundle whose shape was checked and of which nothing is believed yet. */
export interface Bundle {
  readonly mediaType: string;
  readonly content: BundleContent;
  readonly material: BundleMaterial;
  readonly logEntries: number;
  /** The bundle as read, for the library that verifies log entries and timestamps. */
  readonly json: JsonObject;
}

export type BundleContent =
  | { readonly case: "envelope"; readonly envelope: Envelope }
  | {
      readonly case: "message";
      readonly algorithm: string;
      readonly digest: Uint8Array;
      readonly signature: Uint8Array;
    };

export type BundleMaterial =
  | { readonly case: "certificate"; readonly der: Uint8Array }
  | { readonly case: "public-key"; readonly hint?: string };

interface Version {
  /** v0.1 may rest on the log's signed promise; from v0.2 on each entry has an inclusion proof. */
  readonly needsProof: boolean;
  readonly takesChain: boolean;
}

const V01: Version = { needsProof: false, takesChain: true };
const V02: Version = { needsProof: true, takesChain: true };
const V03: Version = { needsProof: true, takesChain: false };

/** Sigstore bundle media types (sigstore/protobuf-specs sigstore_bundle.proto). */
const VERSIONS: ReadonlyMap<string, Version> = new Map([
  ["application/vnd.dev.sigstore.bundle+json;version=0.1", V01],
  ["application/vnd.dev.sigstore.bundle+json;version=0.2", V02],
  ["application/vnd.dev.sigstore.bundle+json;version=0.3", V03],
  ["application/vnd.dev.sigstore.bundle.v0.1+json", V01],
  ["application/vnd.dev.sigstore.bundle.v0.2+json", V02],
  ["application/vnd.dev.sigstore.bundle.v0.3+json", V03],
]);

/** Kinds of log entries. `dsse 0.0.2` was withdrawn: Rekor v2 logs an envelope as `hashedrekord 0.0.2`. */
const ENTRY_KINDS: ReadonlySet<string> = new Set([
  "hashedrekord 0.0.1",
  "hashedrekord 0.0.2",
  "intoto 0.0.2",
  "dsse 0.0.1",
]);

/** Names of protobuf-specs' HashAlgorithm → of node:crypto and our digests, with the length in bytes. */
const MESSAGE_DIGESTS: ReadonlyMap<JsonValue | undefined, readonly [string, number]> = new Map([
  ["SHA2_256", ["sha256", 32]],
  ["SHA2_384", ["sha384", 48]],
  ["SHA2_512", ["sha512", 64]],
]);

const MAX_LOG_ENTRIES = 8;
const MAX_TIMESTAMPS = 32;
const MAX_CERTIFICATES = 8;
const MAX_PROOF_HASHES = 64;

/**
 * Checks a Sigstore bundle's shape as its version defines it: known members only, base64 in its canonical
 * spelling, whole numbers as decimal strings, bounded counts.
 *
 * Throws `VouchsafeError` (`malformed-bundle`) or `AttestationFormatError`.
 */
export function parseBundle(json: JsonObject): Bundle {
  const { mediaType } = known(json, "bundle", [
    "mediaType",
    "verificationMaterial",
    "dsseEnvelope",
    "messageSignature",
  ]);
  const version = typeof mediaType === "string" ? VERSIONS.get(mediaType) : undefined;
  if (typeof mediaType !== "string" || version === undefined) throw malformed("the media type is not known");
  const material = known(json.verificationMaterial, "verificationMaterial", [
    "certificate",
    "x509CertificateChain",
    "publicKey",
    "tlogEntries",
    "timestampVerificationData",
  ]);
  const entries = items(material.tlogEntries, "tlogEntries", MAX_LOG_ENTRIES);
  for (const entry of entries) checkLogEntry(entry, version);
  checkTimestamps(material.timestampVerificationData);
  return {
    mediaType,
    content: parseContent(json),
    material: parseMaterial(material, version),
    logEntries: entries.length,
    json,
  };
}

function parseContent(json: JsonObject): BundleContent {
  const { dsseEnvelope, messageSignature } = json;
  if ((dsseEnvelope === undefined) === (messageSignature === undefined)) {
    throw malformed("it does not have exactly one of dsseEnvelope and messageSignature");
  }
  if (dsseEnvelope !== undefined) {
    const envelope = parseEnvelope(dsseEnvelope);
    if (envelope.signatures.length !== 1) throw malformed("its envelope does not have exactly one signature");
    return { case: "envelope", envelope };
  }
  const message = known(messageSignature, "messageSignature", ["messageDigest", "signature"]);
  const { algorithm, digest } = known(message.messageDigest, "messageDigest", ["algorithm", "digest"]);
  const hash = MESSAGE_DIGESTS.get(algorithm);
  const bytes = base64(digest, "messageDigest.digest");
  if (hash === undefined || bytes.length !== hash[1]) throw malformed("messageDigest is not a SHA-2 digest");
  return {
    case: "message",
    algorithm: hash[0],
    digest: bytes,
    signature: base64(message.signature, "signature"),
  };
}

function parseMaterial(material: JsonObject, version: Version): BundleMaterial {
  const { certificate, x509CertificateChain, publicKey } = material;
  if ([certificate, x509CertificateChain, publicKey].filter((one) => one !== undefined).length !== 1) {
    throw malformed("it does not have exactly one of certificate, x509CertificateChain and publicKey");
  }
  if (publicKey !== undefined) {
    // Some writers put the key itself there. Only a key of the trust snapshot counts, whatever is claimed here.
    const { hint } = known(publicKey, "publicKey", ["hint", "rawBytes", "keyDetails"]);
    if (hint === undefined || hint === null || hint === "") return { case: "public-key" };
    if (typeof hint !== "string") throw malformed("publicKey.hint is not a string");
    return { case: "public-key", hint };
  }
  if (certificate !== undefined) return { case: "certificate", der: rawBytes(certificate) };
  if (!version.takesChain) throw malformed("this version holds a single certificate and no chain");
  const chain = items(
    known(x509CertificateChain, "x509CertificateChain", ["certificates"]).certificates,
    "certificates",
    MAX_CERTIFICATES,
  ).map(rawBytes);
  // The rest is superfluous: chains are built from the snapshot's authorities alone (sigstore_common.proto).
  const [leaf] = chain;
  if (leaf === undefined) throw malformed("its certificate chain is empty");
  return { case: "certificate", der: leaf };
}

function checkLogEntry(value: JsonValue, version: Version): void {
  const entry = known(value, "tlogEntry", [
    "logIndex",
    "logId",
    "kindVersion",
    "integratedTime",
    "inclusionPromise",
    "inclusionProof",
    "canonicalizedBody",
  ]);
  decimal(entry.logIndex, "logIndex");
  decimal(entry.integratedTime, "integratedTime");
  base64(known(entry.logId, "logId", ["keyId"]).keyId, "logId.keyId");
  base64(entry.canonicalizedBody, "canonicalizedBody");
  const { kind, version: kindVersion } = known(entry.kindVersion, "kindVersion", ["kind", "version"]);
  if (!ENTRY_KINDS.has(`${kind} ${kindVersion}`)) throw malformed("the kind of a log entry is not taken");
  const promise = entry.inclusionPromise ?? undefined;
  const proof = entry.inclusionProof ?? undefined;
  if (promise !== undefined) {
    const { signedEntryTimestamp } = known(promise, "inclusionPromise", ["signedEntryTimestamp"]);
    base64(signedEntryTimestamp, "signedEntryTimestamp");
  }
  if (proof !== undefined) checkInclusionProof(proof);
  if (proof === undefined && (version.needsProof || promise === undefined)) {
    throw malformed("a log entry has no inclusion proof");
  }
}

function checkInclusionProof(value: JsonValue): void {
  const proof = known(value, "inclusionProof", ["logIndex", "rootHash", "treeSize", "hashes", "checkpoint"]);
  decimal(proof.logIndex, "inclusionProof.logIndex");
  decimal(proof.treeSize, "inclusionProof.treeSize");
  base64(proof.rootHash, "rootHash");
  for (const hash of items(proof.hashes, "hashes", MAX_PROOF_HASHES)) base64(hash, "hashes");
  const { envelope } = known(proof.checkpoint, "checkpoint", ["envelope"]);
  if (typeof envelope !== "string") throw malformed("checkpoint.envelope is not a string");
}

function checkTimestamps(value: JsonValue | undefined): void {
  if (value === undefined || value === null) return;
  const { rfc3161Timestamps } = known(value, "timestampVerificationData", ["rfc3161Timestamps"]);
  for (const timestamp of items(rfc3161Timestamps, "rfc3161Timestamps", MAX_TIMESTAMPS)) {
    base64(known(timestamp, "rfc3161Timestamp", ["signedTimestamp"]).signedTimestamp, "signedTimestamp");
  }
}

function rawBytes(value: JsonValue): Uint8Array {
  return base64(known(value, "certificate", ["rawBytes"]).rawBytes, "rawBytes");
}

function known(value: JsonValue | undefined, what: string, members: readonly string[]): JsonObject {
  if (!isJsonObject(value)) throw malformed(`${what} is not an object`);
  if (!Object.keys(value).every((name) => members.includes(name)))
    throw malformed(`${what} has an unknown member`);
  return value;
}

function items(value: JsonValue | undefined, what: string, most: number): readonly JsonValue[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw malformed(`${what} is not an array`);
  if (value.length > most) throw malformed(`${what} has more than ${most} items`);
  return value;
}

/** Protobuf's JSON takes both alphabets, and a `bytes` member may not be empty here. */
function base64(value: JsonValue | undefined, what: string): Uint8Array {
  const bytes = typeof value === "string" ? decodeEitherBase64(value) : undefined;
  if (bytes === undefined || bytes.length === 0) throw malformed(`${what} is not base64`);
  return bytes;
}

/**
 * Protobuf's JSON writes int64 as a string of digits and may leave zero out, as for the first entry of a log;
 * nothing here is negative or beyond 2^53.
 */
function decimal(value: JsonValue | undefined, what: string): void {
  if (value === undefined) return;
  if (
    typeof value !== "string" ||
    !/^(?:0|[1-9][0-9]{0,15})$/.test(value) ||
    !Number.isSafeInteger(Number(value))
  ) {
    throw malformed(`${what} is not a whole number`);
  }
}

function malformed(what: string): VouchsafeError {
  return new VouchsafeError("malformed-bundle", `the Sigstore bundle is malformed: ${what}`);
}
