import { hashBytes } from "../in-toto-attestation/digest.ts";
import type { LoggedSignature } from "./log-entry-body.ts";
import type { Signed } from "./signature-check.ts";
import type { Content } from "./signed-evidence.ts";

/** What the log's entries about a signature must repeat. */
export function loggedSignature(
  signature: Uint8Array,
  verifier: LoggedSignature["verifier"],
  content: Content,
  signed: Signed,
): LoggedSignature {
  return {
    signature,
    verifier,
    content,
    signedDigest: (algorithm) => {
      if (signed.case === "bytes") return hashBytes(algorithm, signed.bytes);
      return algorithm === signed.algorithm ? signed.digest : undefined;
    },
  };
}
