import type { Config } from "../../config/config.ts";
import { type ErrorCode, VouchsafeError } from "../../errors.ts";
import { sha256 } from "../../in-toto-attestation/index.ts";
import type { TrustSnapshot } from "../../trust/snapshot.ts";
import { secondOpinion } from "../../verify/second-opinion.ts";
import type { Signer } from "../../verify/verified-attestation.ts";

export interface SecondOpinionOptions {
  readonly mode: Config["secondOpinion"];
  /** Is told of evidence on which the two verifiers disagree, by its digest. */
  readonly report: (problem: string, cause: unknown) => void;
}

/** Refusals for what the signed content says, of which the library says nothing. */
const ABOUT_CONTENT: ReadonlySet<ErrorCode> = new Set([
  "malformed-statement",
  "unknown-predicate-type",
  "key-not-allowed",
  "malformed-digest",
  "unsupported-digest-algorithm",
]);

/**
 * Asks @sigstore/verify about evidence that our own core has judged, and reports where they disagree.
 *
 * @param ours who signed, or why it is refused
 * @returns the refusal that comes of it: undefined unless the library must agree and does not
 */
export function askAgain(
  bytes: Uint8Array,
  trust: TrustSnapshot,
  ours: Signer | VouchsafeError,
  { mode, report }: SecondOpinionOptions,
): VouchsafeError | undefined {
  if (mode === "off") return undefined;
  if (ours instanceof VouchsafeError) {
    if (!ABOUT_CONTENT.has(ours.code) && secondOpinion(bytes, trust).case === "accepts") {
      report(`@sigstore/verify accepts ${sha256(bytes)}, which is refused here (${ours.code})`, undefined);
    }
    return undefined;
  }
  const theirs = secondOpinion(bytes, trust, ours);
  if (theirs.case === "accepts") return undefined;
  if (theirs.case === "refuses") {
    report(`@sigstore/verify refuses ${sha256(bytes)}, which verifies here: ${theirs.reason}`, undefined);
  }
  if (mode === "report") return undefined;
  const does = theirs.case === "refuses" ? "refuses it" : "cannot judge it";
  return new VouchsafeError(
    "second-opinion-refused",
    `the evidence verifies, but @sigstore/verify must agree and ${does}: ${theirs.reason}`,
  );
}
