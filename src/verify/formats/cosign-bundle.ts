import { createHash } from "node:crypto";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "../../in-toto-attestation/index.ts";
import { readHash } from "../log-entry-members.ts";
import type { ClaimedSigner, Content, LogEntry, SignedEvidence } from "../signed-evidence.ts";
import { readLoggedEnvelope } from "./logged-envelope.ts";
import { base64, isAbsent, known, malformed, text } from "./members.ts";
import { onePemBlock, pemInBase64 } from "./pem-certificates.ts";
import { readRekorBundle } from "./rekor-bundle.ts";

/** cosign gives it no media type; the name says whose it is. */
const COSIGN_MEDIA_TYPE = "application/vnd.dev.cosign.bundle+json";

const BUNDLE = new Set(["base64Signature", "cert", "rekorBundle"]);

/**
 * Reads what cosign 1 and 2 write with `--bundle`, unless they are told to write a Sigstore bundle
 * (sigstore/cosign pkg/cosign/fetch.go, `LocalSignedPayload`): of `sign-blob` the signature over the artifact, of
 * `attest-blob` the envelope in its place.
 *
 * Throws `VouchsafeError` (`malformed-bundle`, `log-entry-invalid`) or `AttestationFormatError`.
 */
export function readCosignBundle(json: JsonObject): SignedEvidence {
  const { base64Signature, cert, rekorBundle } = known(json, "bundle", BUNDLE);
  const bytes = base64(base64Signature, "base64Signature");
  const logEntries = isAbsent(rekorBundle) ? [] : [readRekorBundle(rekorBundle)];
  const { content, signature, keyid } = readSigned(bytes, logEntries[0]);
  return {
    mediaType: COSIGN_MEDIA_TYPE,
    content,
    signatures: [{ signature, signer: readSigner(cert, keyid), logEntries, timestamps: [] }],
  };
}

function readSigned(
  bytes: Uint8Array,
  entry: LogEntry | undefined,
): { content: Content; signature: Uint8Array; keyid?: string | undefined } {
  // No signature has this in it by chance.
  if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('"payloadType"')) {
    const { content, sig, keyid } = readLoggedEnvelope(bytes);
    return { content, signature: sig, keyid };
  }
  const digest = entry && loggedDigest(entry);
  return { content: { case: "message", ...(digest && { digest }) }, signature: bytes };
}

/**
 * The message's digest stands in the log's entry alone. It says which artifact is meant, as in a Sigstore bundle: that
 * the signature is over it is verified.
 */
function loggedDigest({ kind, body }: LogEntry) {
  if (kind !== "hashedrekord 0.0.1") return undefined;
  const { spec } = parseJson(body) as JsonObject;
  const { data } = isJsonObject(spec) ? spec : {};
  const { algorithm, value } = readHash(isJsonObject(data) ? data.hash : undefined, "data.hash");
  return { algorithm, bytes: value };
}

/** Where a key signed, it is left out, or is the key, in which nobody believes for its being here. */
function readSigner(cert: JsonValue | undefined, keyid: string | undefined): ClaimedSigner {
  if (isAbsent(cert) || cert === "") return { case: "key", ...(keyid !== undefined && { hint: keyid }) };
  const written = text(cert, "cert");
  const pem = written.startsWith("-----") ? written : pemInBase64(written, "cert");
  const { label, bytes } = onePemBlock(pem, "cert");
  if (label === "CERTIFICATE") return { case: "certificate", leaf: bytes, intermediates: [] };
  if (label !== "PUBLIC KEY") throw malformed("cert is neither a certificate nor a public key");
  return { case: "key", hint: createHash("sha256").update(bytes).digest("base64") };
}
