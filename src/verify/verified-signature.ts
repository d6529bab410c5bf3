import type { BundleContent } from "./bundle.ts";
import type { Signer } from "./verified-attestation.ts";

/** A signature that verified, before anyone asked what the signed bytes mean. */
export interface VerifiedSignature {
  readonly mediaType: string;
  readonly content: BundleContent;
  readonly signer: Signer;
  /** Trusted times at which the signature existed, ascending, in milliseconds since the epoch. */
  readonly times: readonly number[];
}
