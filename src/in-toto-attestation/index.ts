export { algorithmOf, digestOf, groundsAllow, hexOf, parseDigest, sha256 } from "./digest.ts";
export { AttestationFormatError, type FormatErrorCode } from "./errors.ts";
export { canonicalJson, isJsonObject, type JsonLimits, parseJson } from "./json.ts";
export type {
  Digest,
  Envelope,
  JsonObject,
  JsonValue,
  Provenance,
  ResourceDescriptor,
  Statement,
} from "./types.ts";
