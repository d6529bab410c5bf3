import { VouchsafeError } from "../errors.ts";
import {
  digestOf,
  IN_TOTO_PAYLOAD_TYPE,
  isJsonObject,
  isKnownPredicateType,
  parseJson,
  parseStatement,
  type Statement,
  sha256,
  subjectsOf,
} from "../in-toto-attestation/index.ts";
import type { TrustSnapshot } from "../trust/snapshot.ts";
import type { BundleContent } from "./bundle.ts";
import { verifyEnvelope } from "./dsse-key.ts";
import { withOurErrors } from "./format-errors.ts";
import { verifyBundle } from "./sigstore-bundle.ts";
import { type Subject, sealVerified, type VerifiedAttestation } from "./verified-attestation.ts";
import type { VerifiedSignature } from "./verified-signature.ts";

/** Evidence is some 10 kB; a bill of materials in it can be much larger. */
export const MAX_EVIDENCE_BYTES = 16 * 1024 * 1024;

/**
 * Verifies evidence under a trust snapshot: a Sigstore bundle, or a bare DSSE envelope of a trusted key. `at` is
 * now in milliseconds since the epoch; it counts only for keys whose signatures carry no trusted time.
 *
 * Pure: the same bytes, snapshot and time give the same answer. Throws `VouchsafeError` with a code of the
 * section "Evidence", or of JSON and digests, for everything that does not verify.
 */
export function verifyEvidence(bytes: Uint8Array, trust: TrustSnapshot, at: number): VerifiedAttestation {
  return withOurErrors(() => {
    const { mediaType, signer, times, content } = verifySigned(bytes, trust, at);
    return sealVerified({
      id: sha256(bytes),
      mediaType,
      ...readContent(content),
      signer,
      times,
      trustHash: trust.hash,
    });
  });
}

/** Verifies who signed and when, whatever it is that was signed. Throws like `verifyEvidence`. */
export function verifySignatureOf(bytes: Uint8Array, trust: TrustSnapshot, at: number): VerifiedSignature {
  return withOurErrors(() => verifySigned(bytes, trust, at));
}

function verifySigned(bytes: Uint8Array, trust: TrustSnapshot, at: number): VerifiedSignature {
  const json = parseJson(bytes, { maxBytes: MAX_EVIDENCE_BYTES });
  if (isJsonObject(json)) {
    if (json.mediaType !== undefined) return verifyBundle(json, trust, at);
    if (json.payloadType !== undefined) return verifyEnvelope(json, trust, at);
  }
  throw new VouchsafeError(
    "unknown-evidence-format",
    "the evidence is neither a Sigstore bundle nor a DSSE envelope",
  );
}

/** What was signed: an in-toto Statement of a known predicate type, or a message's digest. */
function readContent(content: BundleContent): { subjects: readonly Subject[]; statement?: Statement } {
  if (content.case === "message") {
    const digest = digestOf(content.algorithm, Buffer.from(content.digest).toString("hex"));
    return { subjects: [{ digests: [digest] }] };
  }
  const { payloadType, payload } = content.envelope;
  if (payloadType !== IN_TOTO_PAYLOAD_TYPE) {
    throw new VouchsafeError("malformed-statement", `the payload type is not ${IN_TOTO_PAYLOAD_TYPE}`);
  }
  const statement = parseStatement(payload);
  if (!isKnownPredicateType(statement.predicateType)) {
    throw new VouchsafeError(
      "unknown-predicate-type",
      "the Statement's predicate type is not one that is taken",
    );
  }
  return { subjects: subjectsOf(statement), statement };
}
