import { createHash } from "node:crypto";
import { VouchsafeError } from "../../errors.ts";
import {
  canonicalJson,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseEnvelope,
  parseJson,
} from "../../in-toto-attestation/index.ts";
import { readDsseEnvelope } from "./dsse-envelope.ts";
import { items, malformed, text } from "./members.ts";
import { embedLayer } from "./oci-layer.ts";
import { oneCertificate } from "./pem-certificates.ts";
import { hexLogId, kindOf, wholeNumber } from "./rekor-bundle.ts";

// Envelopes from before bundles were pushed without the log entries that say when they were signed. What Rekor's v1
// API answers about them is joined with them here; nothing of it is believed before the result is verified.

/** What an entry must be about. */
interface Envelope {
  /** Base64. */
  readonly signature: string;
  /** Lower-case hex: sha256 of the envelope's document. */
  readonly documentHash: string;
}

interface Found {
  readonly kind: string;
  readonly entry: JsonObject;
  /** PEM of the certificate or key that the log saw the signature hold under. */
  readonly verifier: string;
}

const LOG_ENTRIES = 8;
const HASHES = 64;

/** Kind of entry → the verifier in its body, if it is about the envelope (sigstore/rekor pkg/types). */
const VERIFIERS: ReadonlyMap<string, (spec: JsonObject, envelope: Envelope) => JsonValue | undefined> =
  new Map([
    [
      "dsse 0.0.1",
      ({ signatures }, { signature }) => withMember(signatures, "signature", signature)?.verifier,
    ],
    ["intoto 0.0.2", intotoVerifier],
    ["intoto 0.0.1", intotoV1Verifier],
  ]);

/**
 * One document of a DSSE envelope with one signature and the log entries about that signature, as Rekor's v1 API
 * answers them (`{ <uuid>: LogEntry }`): a Sigstore bundle. The certificate is the envelope's own, or the one in the
 * entries. An entry of kind `intoto 0.0.1` is about the very bytes of the envelope, which a bundle does not keep: they
 * are embedded in a layer's descriptor, as cosign would attach them.
 *
 * Throws `VouchsafeError` (`log-entry-invalid` when no entry is about the signature, `malformed-bundle`) or
 * `AttestationFormatError`.
 */
export function withLogEntries(document: Uint8Array, answers: readonly JsonValue[]): Uint8Array {
  const json = parseJson(document);
  const { payload, payloadType, signatures } = parseEnvelope(json);
  const [only, ...others] = signatures;
  if (!isJsonObject(json) || only === undefined || others.length > 0) {
    throw malformed("log entries are joined to an envelope with exactly one signature");
  }
  const signature = base64(only.sig);
  const documentHash = createHash("sha256").update(document).digest("hex");
  const found = answers.flatMap(entriesIn).flatMap((entry) => about(entry, { signature, documentHash }));
  const [first] = found;
  if (first === undefined) {
    throw new VouchsafeError(
      "log-entry-invalid",
      "none of the log entries is about the envelope's signature",
    );
  }
  const { signer } = readDsseEnvelope(json).signatures[0] ?? {};
  const certificate =
    signer?.case === "certificate" ? signer.leaf : oneCertificate(first.verifier, "the verifier");
  const proven = found.filter(({ kind }) => kind !== "intoto 0.0.1");
  if (proven.length === 0) return layerOf(document, documentHash, first);
  // What was given may be found once more.
  const entries = new Map(
    proven.map(transparencyLogEntry).map((one) => [`${one.logId.keyId}/${one.logIndex}`, one]),
  );
  return Buffer.from(
    canonicalJson({
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      verificationMaterial: {
        certificate: { rawBytes: base64(certificate) },
        tlogEntries: [...entries.values()].slice(0, LOG_ENTRIES),
      },
      dsseEnvelope: { payload: base64(payload), payloadType, signatures: [{ sig: signature }] },
    }),
  );
}

function entriesIn(answer: JsonValue): JsonObject[] {
  if (!isJsonObject(answer)) throw malformed("an answer about log entries is not an object");
  return Object.values(answer).map((entry) => {
    if (!isJsonObject(entry)) throw malformed("a log entry is not an object");
    return entry;
  });
}

function about(entry: JsonObject, envelope: Envelope): Found[] {
  const body = Buffer.from(text(entry.body, "body"), "base64");
  const kind = kindOf(body);
  const { spec } = parseJson(body) as JsonObject;
  const verifier = isJsonObject(spec) ? VERIFIERS.get(kind)?.(spec, envelope) : undefined;
  return typeof verifier === "string" ? [{ kind, entry, verifier: textIn(verifier) }] : [];
}

function intotoVerifier({ content }: JsonObject, { signature }: Envelope): JsonValue | undefined {
  const { envelope } = isJsonObject(content) ? content : {};
  const { signatures } = isJsonObject(envelope) ? envelope : {};
  // Written by this kind as base64 of base64.
  return withMember(signatures, "sig", base64(Buffer.from(signature)))?.publicKey;
}

function intotoV1Verifier(
  { content, publicKey }: JsonObject,
  { documentHash }: Envelope,
): JsonValue | undefined {
  const { hash } = isJsonObject(content) ? content : {};
  return isJsonObject(hash) && hash.value === documentHash ? publicKey : undefined;
}

function withMember(list: JsonValue | undefined, name: string, value: string): JsonObject | undefined {
  const objects = Array.isArray(list) ? list.filter(isJsonObject) : [];
  return objects.find((object) => object[name] === value);
}

/** As sigstore_rekor.proto's JSON writes it. */
function transparencyLogEntry({ kind, entry }: Found) {
  const { signedEntryTimestamp, inclusionProof } = verificationOf(entry);
  if (!isJsonObject(inclusionProof)) throw malformed("a log entry has no inclusion proof");
  const { logIndex, treeSize, rootHash, hashes, checkpoint } = inclusionProof;
  const [name = "", version = ""] = kind.split(" ");
  return {
    logIndex: `${wholeNumber(entry.logIndex, "logIndex")}`,
    logId: { keyId: fromHex(hexLogId(entry.logID)) },
    kindVersion: { kind: name, version },
    integratedTime: `${wholeNumber(entry.integratedTime, "integratedTime")}`,
    inclusionPromise: { signedEntryTimestamp: text(signedEntryTimestamp, "signedEntryTimestamp") },
    inclusionProof: {
      logIndex: `${wholeNumber(logIndex, "inclusionProof.logIndex")}`,
      treeSize: `${wholeNumber(treeSize, "treeSize")}`,
      rootHash: fromHex(text(rootHash, "rootHash")),
      hashes: items(hashes, "hashes", HASHES).map((hash) => fromHex(text(hash, "hashes"))),
      checkpoint: { envelope: text(checkpoint, "checkpoint") },
    },
    canonicalizedBody: text(entry.body, "body"),
  };
}

function layerOf(document: Uint8Array, documentHash: string, { entry, verifier }: Found): Uint8Array {
  const { body = null, integratedTime = null, logIndex = null, logID = null } = entry;
  const { signedEntryTimestamp = null } = verificationOf(entry);
  const bundle = {
    SignedEntryTimestamp: signedEntryTimestamp,
    Payload: { body, integratedTime, logIndex, logID },
  };
  const descriptor = {
    mediaType: "application/vnd.dsse.envelope.v1+json",
    digest: `sha256:${documentHash}`,
    size: document.length,
    annotations: {
      "dev.sigstore.cosign/certificate": verifier,
      "dev.sigstore.cosign/bundle": canonicalJson(bundle),
    },
  };
  return embedLayer(descriptor, document);
}

function verificationOf({ verification }: JsonObject): JsonObject {
  if (!isJsonObject(verification)) throw malformed("a log entry has no verification");
  return verification;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function textIn(encoded: string): string {
  return Buffer.from(encoded, "base64").toString("latin1");
}

function fromHex(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}
