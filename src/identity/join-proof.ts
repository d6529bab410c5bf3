import { serverId } from "./agent-id.ts";
import type { SpiffeId, TrustDomain } from "./spiffe-id.ts";
import {
  hashOf,
  makeSvidProof,
  type ProofTerms,
  type SvidCredential,
  type SvidProof,
  verifySvidProof,
} from "./svid-proof.ts";
import type { TrustBundle } from "./trust-bundle.ts";

/** Of no other kind of proof: what an agent says as itself joins nobody. */
const TYPE = "vouchsafe-join+jwt";

/**
 * Proves that whoever has an SVID asks to join this server's trust domain with this CSR (docs/svid.md). `random` is 16 bytes that
 * are never used twice; `now` in milliseconds since the epoch.
 */
export function makeJoinProof(
  credential: SvidCredential,
  server: TrustDomain,
  csr: Uint8Array,
  random: Uint8Array,
  now: number,
): string {
  return makeSvidProof(credential, termsOf(server, csr), random, now);
}

/**
 * Throws `VouchsafeError` (`agent-proof-invalid`). Whether the jti was seen before is for the caller to look up.
 *
 * @param bundleFor by the SVID's ID, which is not verified yet
 */
export function verifyJoinProof(
  proof: string,
  server: TrustDomain,
  csr: Uint8Array,
  bundleFor: (claimed: SpiffeId) => TrustBundle | undefined,
  now: number,
): SvidProof {
  return verifySvidProof(proof, termsOf(server, csr), bundleFor, now);
}

function termsOf(server: TrustDomain, csr: Uint8Array): ProofTerms {
  return { typ: TYPE, aud: serverId(server), binding: { csh: hashOf(csr) } };
}
