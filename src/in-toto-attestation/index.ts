export { decodeBase64 } from "./base64.ts";
export { CONTAINMENT_PREDICATE_TYPE, containerOf } from "./containment.ts";
export { algorithmOf, digestOf, groundsAllow, hexOf, parseDigest, sha256 } from "./digest.ts";
export { IN_TOTO_PAYLOAD_TYPE, parseEnvelope, preAuthenticationEncoding } from "./dsse.ts";
export { AttestationFormatError, type FormatErrorCode } from "./errors.ts";
export { canonicalJson, isJsonObject, type JsonLimits, parseJson } from "./json.ts";
export { isKnownPredicateType } from "./predicates.ts";
export { provenanceOf } from "./provenance.ts";
export { revisionDigests, sourceRefsOf } from "./source-revision.ts";
export { MAX_SUBJECTS, parseStatement, subjectsOf } from "./statement.ts";
export type {
  Digest,
  Envelope,
  JsonObject,
  JsonValue,
  Provenance,
  ResourceDescriptor,
  Statement,
} from "./types.ts";
export {
  type SummaryDemands,
  type UnmetDemand,
  unmetDemands,
  type VerificationSummary,
  VSA_PREDICATE_TYPE,
  verificationSummaryOf,
} from "./vsa.ts";
export { isSameFileName } from "./wheel-name.ts";
