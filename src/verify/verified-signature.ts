import type { TimeRange } from "../trust/time-range.ts";
import type { Findings } from "./findings.ts";
import type { Content } from "./signed-evidence.ts";
import type { Signer } from "./verified-attestation.ts";

/** A signature that verified, before anyone asked what the signed bytes mean. */
export interface VerifiedSignature {
  readonly mediaType: string;
  readonly content: Content;
  readonly signer: Signer;
  /** Predicate types that the signer may speak of; undefined for any. */
  readonly predicateTypes?: ReadonlySet<string>;
  readonly findings: Findings;
  /**
   * Where no trusted time says when a key signed: when the key may be believed. The one thing of a signature that
   * depends on when it is asked about.
   */
  readonly heldWithin?: TimeRange;
}
