import { sha256 } from "../in-toto-attestation/index.ts";
import type { TrustSnapshot } from "../trust/snapshot.ts";
import { covers, type TimeRange } from "../trust/time-range.ts";
import type { VerifiedAttestation } from "./verified-attestation.ts";
import { verifyWithRange } from "./verify-evidence.ts";

export type Verify = (bytes: Uint8Array, trust: TrustSnapshot, at: number) => VerifiedAttestation;

/**
 * `verifyEvidence` that remembers the evidence it verified, the least recently asked for forgotten first. Keyed
 * by what was verified and under which snapshot, so it can never answer for other bytes or another trust;
 * refusals are not kept.
 */
export function createVerifier({ maxEntries }: { readonly maxEntries: number }): Verify {
  const kept = new Map<string, { attestation: VerifiedAttestation; holds: TimeRange }>();
  return (bytes, trust, at) => {
    const key = `${sha256(bytes)} ${trust.hash}`;
    const hit = kept.get(key);
    const entry = hit !== undefined && covers(hit.holds, at) ? hit : verifyWithRange(bytes, trust, at);
    // A Map iterates in order of insertion: to insert anew is to make it the most recent.
    kept.delete(key);
    kept.set(key, entry);
    const oldest = kept.keys().next().value;
    if (kept.size > maxEntries && oldest !== undefined) kept.delete(oldest);
    return entry.attestation;
  };
}
