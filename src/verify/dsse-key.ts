import { VouchsafeError } from "../errors.ts";
import { type JsonObject, parseEnvelope, preAuthenticationEncoding } from "../in-toto-attestation/index.ts";
import type { TrustSnapshot } from "../trust/snapshot.ts";
import { assertKeyHeld, findSigningKey } from "./signing-key.ts";
import type { VerifiedSignature } from "./verified-signature.ts";

/** What a bare envelope's evidence is called (registered for DSSE 1.0). */
const ENVELOPE_MEDIA_TYPE = "application/vnd.dsse.envelope.v1+json";

/**
 * Verifies a bare DSSE envelope that a key of the snapshot signed. It carries no trusted time, so the key must
 * be valid at `at`; one good signature is enough, whatever stands beside it.
 *
 * Throws `VouchsafeError` or `AttestationFormatError`.
 */
export function verifyEnvelope(json: JsonObject, trust: TrustSnapshot, at: number): VerifiedSignature {
  const envelope = parseEnvelope(json);
  const bytes = preAuthenticationEncoding(envelope.payloadType, envelope.payload);
  const key = findSigningKey(trust.keys, { case: "bytes", bytes }, envelope.signatures);
  if (key.thresholds.logEntries > 0 || key.thresholds.timestamps > 0) {
    throw new VouchsafeError(
      "time-unverified",
      `signatures of ${key.name} must come with log entries or timestamps`,
    );
  }
  assertKeyHeld(key, at);
  return {
    mediaType: ENVELOPE_MEDIA_TYPE,
    content: { case: "envelope", envelope },
    signer: { case: "key", name: key.name, keyId: key.keyId },
    times: [],
  };
}
