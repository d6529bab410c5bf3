import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseEnvelope,
} from "../../in-toto-attestation/index.ts";
import { SignedBytes } from "../signed.ts";
import type { ClaimedSigner, EvidenceSignature, SignedEvidence } from "../signed-evidence.ts";
import { base64, distinctTimestamps, items, known, malformed, text } from "./members.ts";
import { oneCertificate, pemInBase64 } from "./pem-certificates.ts";
import { timeStampResponse } from "./time-stamp-token.ts";

/** What a bare envelope's evidence is called (registered for DSSE 1.0). */
export const ENVELOPE_MEDIA_TYPE = "application/vnd.dsse.envelope.v1+json";

const MAX_CERTIFICATES = 8;
/** Of all signatures together: each costs the reading of a certificate or more. */
const MAX_TIMESTAMPS = 32;
const TIMESTAMP = new Set(["type", "data"]);

/**
 * Reads a bare DSSE envelope (secure-systems-lab/dsse envelope.md). Beside `keyid` and `sig`, what two writers add to
 * a signature counts: `cert` of slsa-github-generator before it wrote bundles, and `certificate`, `intermediates` and
 * `timestamps` of witness (in-toto/go-witness dsse/dsse.go). Other members are ignored, as the specification asks.
 *
 * Throws `VouchsafeError` (`malformed-bundle`) or `AttestationFormatError`.
 */
export function readDsseEnvelope(json: JsonObject): SignedEvidence {
  const { payloadType, payload, signatures } = parseEnvelope(json);
  const added = items(json.signatures, "signatures", signatures.length);
  const read = signatures.map(({ sig, keyid }, i) => readSignature(sig, keyid, added[i]));
  if (read.flatMap(({ timestamps }) => timestamps).length > MAX_TIMESTAMPS) {
    throw malformed(`the signatures have more than ${MAX_TIMESTAMPS} timestamps`);
  }
  return {
    mediaType: ENVELOPE_MEDIA_TYPE,
    content: { case: "envelope", payloadType, payload: new SignedBytes(payload) },
    signatures: read,
  };
}

function readSignature(
  signature: Uint8Array,
  keyid: string | undefined,
  value: JsonValue | undefined,
): EvidenceSignature {
  const { cert, certificate, intermediates, timestamps } = isJsonObject(value) ? value : {};
  return {
    signature,
    signer: readSigner(keyid, cert ?? undefined, certificate ?? undefined, intermediates),
    logEntries: [],
    timestamps: distinctTimestamps(
      items(timestamps, "timestamps", MAX_TIMESTAMPS).map(readTimestamp),
      "timestamps",
    ),
  };
}

function readSigner(
  keyid: string | undefined,
  cert: JsonValue | undefined,
  certificate: JsonValue | undefined,
  intermediates: JsonValue | undefined,
): ClaimedSigner {
  if (cert !== undefined && certificate !== undefined) throw malformed("a signature has two certificates");
  // The older writer leaves `cert` empty where a key signed.
  if (certificate === undefined && (cert === undefined || cert === "")) {
    return keyid === undefined ? { case: "key" } : { case: "key", hint: keyid };
  }
  const leaf = certificate === undefined ? text(cert, "cert") : pemInBase64(certificate, "certificate");
  return {
    case: "certificate",
    leaf: oneCertificate(leaf, "the certificate"),
    intermediates: items(intermediates, "intermediates", MAX_CERTIFICATES).map((one) =>
      oneCertificate(pemInBase64(one, "intermediates"), "an intermediate"),
    ),
  };
}

/** Witness keeps the token alone of what the timestamp authority answered. */
function readTimestamp(value: JsonValue): Uint8Array {
  const { type, data } = known(value, "timestamp", TIMESTAMP);
  if (type !== "tsp") throw malformed("a timestamp is not of RFC 3161");
  return timeStampResponse(base64(data, "timestamp.data"));
}
