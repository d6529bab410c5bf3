import { VouchsafeError } from "../errors.ts";
import { canonicalJson, isJsonObject, type JsonValue, parseJson } from "../in-toto-attestation/index.ts";
import type { TrustSnapshot } from "../trust/snapshot.ts";
import { withOurErrors } from "./format-errors.ts";
import type { VerifiedAttestation } from "./verified-attestation.ts";
import { MAX_EVIDENCE_BYTES, verifyEvidence } from "./verify-evidence.ts";

const MAX_ATTESTATIONS = 32;

/**
 * Verifies an npm registry's attestations of one package version (`/-/npm/v1/attestations/…`): every bundle, and
 * that each Statement is of the predicate type which the registry labels it with.
 *
 * Throws as `verifyEvidence` does; a wrong label is `malformed-statement`.
 */
export function verifyNpmAttestations(
  bytes: Uint8Array,
  trust: TrustSnapshot,
  at: number,
): VerifiedAttestation[] {
  const document = withOurErrors(() => parseJson(bytes, { maxBytes: MAX_EVIDENCE_BYTES }));
  const attestations = isJsonObject(document) ? document.attestations : undefined;
  if (!Array.isArray(attestations) || attestations.length === 0 || attestations.length > MAX_ATTESTATIONS) {
    throw new VouchsafeError("unknown-evidence-format", "these are not an npm registry's attestations");
  }
  return attestations.map((item: JsonValue) => verifyOne(item, trust, at));
}

function verifyOne(item: JsonValue, trust: TrustSnapshot, at: number): VerifiedAttestation {
  if (!isJsonObject(item) || !isJsonObject(item.bundle)) {
    throw new VouchsafeError("unknown-evidence-format", "an npm attestation holds no bundle");
  }
  const attestation = verifyEvidence(Buffer.from(canonicalJson(item.bundle)), trust, at);
  if (attestation.statement?.predicateType !== item.predicateType) {
    throw new VouchsafeError(
      "malformed-statement",
      "the registry's label is not the Statement's predicate type",
    );
  }
  return attestation;
}
