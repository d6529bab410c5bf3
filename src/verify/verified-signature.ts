import type { TimeRange } from "../trust/time-range.ts";
import type { BundleContent } from "./bundle.ts";
import type { Signer } from "./verified-attestation.ts";

/** A signature that verified, before anyone asked what the signed bytes mean. */
export interface VerifiedSignature {
  readonly mediaType: string;
  readonly content: BundleContent;
  readonly signer: Signer;
  /** Trusted times at which the signature existed, ascending, in milliseconds since the epoch. */
  readonly times: readonly number[];
  /** When asking again gives the same answer: a key without a trusted time only counts while it is valid. */
  readonly holds: TimeRange;
}
