import { parseSpiffeId, type SpiffeId } from "../identity/spiffe-id.ts";
import { type Digest, type JsonValue, parseDigest } from "../in-toto-attestation/index.ts";
import {
  malformed,
  type Origin,
  objectIn,
  only,
  parseTarget,
  targetText,
  text,
} from "./revocation-target.ts";

/** What a quarantine is of, by exact values as of revocations: one artifact, or a rule (`QuarantineRule`). */
export type QuarantineTarget = { readonly artifact: Digest } | QuarantineRule;

/** What is known only when it is met: evidence that comes from somewhere, a policy, an identity. */
export type QuarantineRule =
  /** Whatever there is such evidence about. */
  | Origin
  /** A VerificationPolicy by its name: every decision that names it. */
  | { readonly policy: string }
  /** Every grant of it. */
  | { readonly spiffeId: SpiffeId }
  /** One SVID: its serial number in hex, or its `jti`. */
  | { readonly serial: string };

/**
 * Reads a target as events have it, with its members in one spelling.
 *
 * @throws VouchsafeError `invalid-request`, `invalid-spiffe-id`; AttestationFormatError `malformed-digest`
 */
export function parseQuarantineTarget(value: JsonValue | undefined): QuarantineTarget {
  const target = objectIn(value);
  if (target.policy !== undefined) return only(target, { policy: text(target.policy) });
  if (target.spiffeId !== undefined) return only(target, { spiffeId: parseSpiffeId(text(target.spiffeId)) });
  if (target.serial !== undefined) return only(target, { serial: text(target.serial) });
  if (target.artifact !== undefined) return only(target, { artifact: parseDigest(text(target.artifact)) });
  const origin = parseTarget(target);
  if ("attestation" in origin || "artifact" in origin || "from" in origin || "until" in origin)
    throw malformed("of a quarantine is no single attestation and has no window: revoke what is that exact");
  return origin;
}

/** A target in words. */
export function quarantineText(target: QuarantineTarget): string {
  if ("policy" in target) return `policy ${target.policy}`;
  if ("spiffeId" in target) return `SPIFFE ID ${target.spiffeId}`;
  if ("serial" in target) return `serial ${target.serial}`;
  return targetText(target);
}
