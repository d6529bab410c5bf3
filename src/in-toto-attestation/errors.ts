/** Why bytes are not what they claim to be. A subset of the service's closed list of codes. */
export type FormatErrorCode =
  | "malformed-json"
  | "json-too-deep"
  | "body-too-large"
  | "too-many-items"
  | "malformed-digest"
  | "unsupported-digest-algorithm"
  | "malformed-envelope"
  | "malformed-statement"
  | "unknown-predicate-type";

/** The only error that parsing in this folder throws. */
export class AttestationFormatError extends Error {
  override readonly name = "AttestationFormatError";
  readonly code: FormatErrorCode;

  constructor(code: FormatErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
