import { agentNameOf, serverId } from "./agent-id.ts";
import type { SpiffeId } from "./spiffe-id.ts";
import { trustDomainOf } from "./spiffe-id.ts";
import {
  hashOf,
  makeSvidProof,
  type ProofTerms,
  refusedProof,
  type SvidCredential,
  verifySvidProof,
} from "./svid-proof.ts";
import type { TrustBundle } from "./trust-bundle.ts";

/** A request as its proof binds it. */
export interface ProvenRequest {
  /** In capitals. */
  readonly method: string;
  /** Path and query, as on the request line. */
  readonly path: string;
  /** Empty for a request without one. */
  readonly body: Uint8Array;
}

/** An agent's own SVID and the P-256 key that it is of. */
export type AgentCredential = SvidCredential;

/** Which agent made a request, and which of its credentials proved it. */
export interface AgentProof {
  readonly agent: SpiffeId;
  readonly name: string;
  /** Lower-case hex of the agent certificate's serial number. */
  readonly serial: string;
  /** SubjectPublicKeyInfo of the agent's key, DER. */
  readonly spki: Uint8Array;
  readonly jti: string;
  /** Until when the jti must not be taken again, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The `Authorization` scheme. */
export const AGENT_SCHEME = "Vouchsafe-Agent";

const TYPE = "vouchsafe-agent+jwt";

/**
 * The value of the `Authorization` header that proves one request (docs/svid.md, "The agent's proof").
 * `random` is 16 bytes that are never used twice; `now` in milliseconds since the epoch.
 */
export function makeAgentProof(
  credential: AgentCredential,
  request: ProvenRequest,
  random: Uint8Array,
  now: number,
): string {
  const aud = serverId(trustDomainOf(credential.spiffeId));
  return `${AGENT_SCHEME} ${makeSvidProof(credential, termsOf(request, aud), random, now)}`;
}

/**
 * Verifies that an agent of the bundle's trust domain made exactly this request, just now. Whether the agent is
 * still known, and whether the jti was seen before, is for the caller to look up.
 *
 * Throws `VouchsafeError` (`agent-proof-invalid`).
 */
export function verifyAgentProof(
  authorization: string,
  request: ProvenRequest,
  bundle: TrustBundle,
  now: number,
): AgentProof {
  const [scheme, token, ...rest] = authorization.split(" ");
  if (scheme !== AGENT_SCHEME || token === undefined || rest.length > 0) {
    throw refusedProof(`it is not "${AGENT_SCHEME}" and one token`);
  }
  const terms = termsOf(request, serverId(bundle.trustDomain));
  const { spiffeId: agent, leaf, jti, expiresAt } = verifySvidProof(token, terms, () => bundle, now);
  const name = agentNameOf(agent);
  if (name === undefined) throw refusedProof("its certificate is not an agent's");
  return { agent, name, serial: leaf.serial, spki: leaf.spki, jti, expiresAt };
}

function termsOf({ method, path, body }: ProvenRequest, aud: SpiffeId): ProofTerms {
  return { typ: TYPE, aud, binding: { htm: method, htu: path, bsh: hashOf(body) } };
}
