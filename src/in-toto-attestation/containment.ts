import { digestOf, groundsAllow, isKnownAlgorithm } from "./digest.ts";
import { AttestationFormatError } from "./errors.ts";
import { parseResourceDescriptor } from "./resource-descriptor.ts";
import type { Digest, Statement } from "./types.ts";

/** Vouchsafe's own: that the Statement's subjects are parts of another artifact (docs/policy.md, "What holds an artifact"). */
export const CONTAINMENT_PREDICATE_TYPE = "https://vouchsafe.dev/containment/v1";

/**
 * The artifact that holds the subjects of a Statement of containment, under each of its digests that ground an allow;
 * undefined for a Statement of another predicate type.
 *
 * Throws `AttestationFormatError` (`malformed-statement`, `malformed-digest`).
 */
export function containerOf({ predicateType, predicate }: Statement): Digest[] | undefined {
  if (predicateType !== CONTAINMENT_PREDICATE_TYPE) return undefined;
  const { container } = predicate;
  if (container === undefined) throw malformed("container is missing");
  const { digest } = parseResourceDescriptor(container, "container");
  const digests = Object.entries(digest)
    .filter(([algorithm]) => isKnownAlgorithm(algorithm))
    .map(([algorithm, hex]) => digestOf(algorithm, hex))
    .filter(groundsAllow);
  if (digests.length === 0) throw malformed("container has no digest of sha256, sha384 or sha512");
  return digests.sort();
}

function malformed(what: string): AttestationFormatError {
  return new AttestationFormatError("malformed-statement", `not a statement of containment: ${what}`);
}
