import { VouchsafeError } from "../errors.ts";
import type { Digest } from "../in-toto-attestation/types.ts";

/** Of an artifact that no event of the project's log is about. */
export function nothingRecorded(artifact: Digest): VouchsafeError {
  return new VouchsafeError(
    "not-found",
    `Nothing is recorded about ${artifact}; push its attestations first`,
  );
}
