import { VouchsafeError } from "../../src/errors.ts";
import { canonicalJson } from "../../src/in-toto-attestation/json.ts";
import type { JsonObject } from "../../src/in-toto-attestation/types.ts";
import type { TrustSnapshot } from "../../src/trust/snapshot.ts";
import type { VerifiedSignature } from "../../src/verify/verified-signature.ts";
import { verifySignatureOf } from "../../src/verify/verify-evidence.ts";
import { NOW } from "../verify/signed-bundles.ts";

/** Our verdict: who signed what and when, or our own error. Any other error is thrown. */
export type Answer =
  | { readonly case: "accepted"; readonly signature: VerifiedSignature; readonly said: string }
  | { readonly case: "refused"; readonly code: string; readonly message: string };

export function verdictOf(bytes: Uint8Array, trust: TrustSnapshot): Answer {
  try {
    const signature = verifySignatureOf(bytes, trust, NOW);
    return { case: "accepted", signature, said: saidBy(signature) };
  } catch (error) {
    if (!(error instanceof VouchsafeError)) throw error;
    return { case: "refused", code: error.code, message: error.message };
  }
}

/** Who signed what, as text: what no mutation may change. */
function saidBy({ content, signer }: VerifiedSignature): string {
  const signed =
    content.case === "envelope"
      ? { type: content.payloadType, payload: content.payload.digest("sha256").toString("hex") }
      : { digest: content.digest && Buffer.from(content.digest.bytes).toString("hex") };
  return canonicalJson(JSON.parse(JSON.stringify({ signed, signer })) as JsonObject);
}

/** The trusted times, each with its source. */
export function timesOf({ findings }: VerifiedSignature): string[] {
  return findings.times.map(({ source, name, time }) => `${source} ${name} ${time}`);
}
