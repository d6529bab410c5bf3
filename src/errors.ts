/**
 * The closed list of what can go wrong, with the HTTP status each is rendered with (RFC 9457).
 *
 * A code is a promise to callers: it is never renamed or reused. A policy denial is not an error: it is a
 * returned value with reasons. Codes shared with `in-toto-attestation/` are listed here too, so that one
 * table names every code that a caller can meet.
 */
export const ERRORS = {
  // The request itself
  "invalid-request": { status: 400, title: "The request does not have the documented shape" },
  "malformed-json": { status: 400, title: "The body is not strict JSON" },
  "json-too-deep": { status: 400, title: "The JSON is nested too deeply" },
  "body-too-large": { status: 413, title: "The body is larger than the server takes" },
  "too-many-items": { status: 413, title: "The body holds more items than the server takes at once" },
  "unsupported-media-type": { status: 415, title: "The Content-Type is not one that this route takes" },
  unauthenticated: { status: 401, title: "A valid bearer token is needed" },
  "token-replayed": { status: 401, title: "The token is good for one request, and was used before" },
  forbidden: { status: 403, title: "The caller's role may not do this" },
  "no-access-rule": { status: 403, title: "The caller is known, and no access rule takes it" },
  "policy-not-allowed": { status: 403, title: "The caller may not choose this policy" },
  "project-suspended": { status: 403, title: "The project is suspended" },
  "approval-refused": { status: 403, title: "The caller's approval would not count" },
  "not-found": { status: 404, title: "There is no such thing in this project" },
  "request-timeout": { status: 408, title: "The request did not arrive in time" },
  "headers-too-large": { status: 431, title: "The request's headers are larger than the server takes" },
  "method-not-allowed": { status: 405, title: "The route does not take this method" },
  conflict: { status: 409, title: "What the request builds on has changed" },
  "rate-limited": { status: 429, title: "Too many requests" },
  unavailable: { status: 503, title: "The service cannot do this now" },
  stale: { status: 503, title: "This node has not caught up with the log" },
  internal: { status: 500, title: "The service failed" },

  // Digests and documents
  "malformed-digest": { status: 400, title: "The digest is not algorithm:hex" },
  "unsupported-digest-algorithm": { status: 400, title: "The digest algorithm cannot ground a decision" },
  "invalid-policy": { status: 422, title: "The policy documents do not load" },
  "invalid-trust": { status: 422, title: "The trust document does not load" },

  // Evidence and manifests
  "malformed-envelope": { status: 422, title: "The DSSE envelope is malformed" },
  "malformed-statement": { status: 422, title: "The in-toto Statement is malformed" },
  "malformed-manifest": { status: 422, title: "The image index or manifest is malformed" },
  "malformed-bundle": { status: 422, title: "The Sigstore bundle is malformed" },
  "unknown-evidence-format": { status: 422, title: "The evidence is of no format that is taken" },
  "unknown-predicate-type": { status: 422, title: "The predicate type is not known" },
  "unsupported-algorithm": { status: 422, title: "The key or signature algorithm is not supported" },
  "unknown-key": { status: 422, title: "The signing key is not in the trust snapshot" },
  "key-not-allowed": { status: 422, title: "The signing key may not sign evidence of this kind" },
  "signature-invalid": { status: 422, title: "The signature does not verify" },
  "certificate-invalid": { status: 422, title: "The signing certificate does not chain to a trusted root" },
  "time-unverified": { status: 422, title: "No trusted time covers the signature" },
  "log-entry-invalid": { status: 422, title: "The transparency-log entry does not prove this signature" },
  "subject-mismatch": { status: 422, title: "The evidence is about another artifact" },
  "signer-mismatch": { status: 422, title: "Somebody else signed the evidence" },
  "statement-mismatch": { status: 422, title: "The Statement does not say what is asked of it" },
  "evidence-revoked": { status: 422, title: "The evidence was revoked" },
  "second-opinion-refused": { status: 422, title: "The second verifier does not confirm the evidence" },

  // Other hosts
  "outbound-refused": { status: 422, title: "The host is not one that may be asked" },
  "outbound-failed": { status: 502, title: "Another host did not answer as it should" },

  // Identities
  "invalid-spiffe-id": { status: 400, title: "The SPIFFE ID is malformed" },
  "invalid-csr": { status: 422, title: "The certificate signing request is not one that is taken" },
  "invalid-trust-bundle": { status: 422, title: "The trust bundle does not load" },
  "invalid-svid": { status: 422, title: "The SVID does not hold" },
  "identity-denied": { status: 403, title: "The workload is granted no identity" },
  "agent-proof-invalid": { status: 401, title: "The agent's proof does not hold for this request" },
  "agent-proof-replayed": { status: 401, title: "The agent's proof was used before" },

  // The log and what is kept from it
  "evidence-expired": { status: 410, title: "Retention has deleted the evidence's bytes" },
  "malformed-leaf": { status: 500, title: "A log leaf is malformed" },
  "malformed-checkpoint": { status: 422, title: "The checkpoint is not a valid signed note" },
  "proof-invalid": { status: 422, title: "The Merkle proof does not verify" },
  "log-inconsistent": { status: 500, title: "The log contradicts what was acknowledged before" },
  "log-key-mismatch": { status: 503, title: "This node's keys are not those that the log is signed with" },
  "pack-invalid": { status: 422, title: "The custody file does not hold" },
  "configuration-invalid": { status: 500, title: "The configuration does not load" },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** Members that a problem may carry besides its code, e.g. `diagnostics` of a policy that does not load. */
export type ErrorExtensions = Readonly<Record<string, unknown>>;

/**
 * What could not be done, and why: `code` for programs, `message` for people (it says what to do next and
 * holds no secret), `cause` for operators.
 */
export class VouchsafeError extends Error {
  override readonly name = "VouchsafeError";
  readonly code: ErrorCode;
  readonly extensions: ErrorExtensions;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; extensions?: ErrorExtensions } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.extensions = options.extensions ?? {};
  }
}

/** Whether it is our error of this code, whatever else may have been thrown. */
export function hasCode(error: unknown, code: ErrorCode): error is VouchsafeError {
  return error instanceof VouchsafeError && error.code === code;
}

/** Whether it is ours and refuses what was given. What could only not be done now refuses nothing: it says no word of what was given. */
export function isRefusal(error: unknown): error is VouchsafeError {
  return error instanceof VouchsafeError && ERRORS[error.code].status < 500;
}

/** For what is tried again anyway: that the database is away is told by who follows the log. Throws whatever else it is. */
export function unlessUnavailable(error: unknown): void {
  if (!hasCode(error, "unavailable")) throw error;
}
