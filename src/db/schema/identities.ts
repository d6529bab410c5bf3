import type { Fixed } from "./column-types.ts";

/** Each certificate that an agent was given. */
export interface AgentsTable {
  project_id: Fixed<string>;
  spiffe_id: Fixed<string>;
  /** Hex. */
  serial: Fixed<string>;
  /** sha256 of the key's SubjectPublicKeyInfo. */
  key_hash: Fixed<string>;
  /** Id of the join token that was used up; null for a renewal. */
  token: Fixed<string | null>;
  joined_at: Fixed<number>;
  expires_at: Fixed<number>;
  index: Fixed<number>;
}

/** Each revocation of an agent: of the certificates that were recorded before it. */
export interface AgentRevocationsTable {
  project_id: Fixed<string>;
  spiffe_id: Fixed<string>;
  index: Fixed<number>;
}

/** Each SVID that was granted. */
export interface IdentitiesTable {
  project_id: Fixed<string>;
  kind: Fixed<"x509" | "jwt">;
  /** Serial number in hex, or the JWT's `jti`. */
  serial: Fixed<string>;
  spiffe_id: Fixed<string>;
  workload: Fixed<string>;
  digests: Fixed<string[]>;
  policies: Fixed<string[]>;
  requester: Fixed<string>;
  /** sha256 of the key's SubjectPublicKeyInfo; a JWT has none. */
  key_hash: Fixed<string | null>;
  issued_at: Fixed<number>;
  expires_at: Fixed<number>;
  index: Fixed<number>;
}

/** Each SVID that was taken back before its end. */
export interface IdentityRevocationsTable {
  project_id: Fixed<string>;
  kind: Fixed<"x509" | "jwt">;
  serial: Fixed<string>;
  /** As in `identities`. */
  expires_at: Fixed<number>;
  /** Codes of the reasons, in the order of the alphabet. */
  reasons: Fixed<string[]>;
  /** The event for which it was decided anew; null where time alone ended what it rested on. */
  cause: Fixed<number | null>;
  index: Fixed<number>;
}

/** Proofs of agents that were used, kept until they have expired: each holds once. */
export interface AgentRequestsTable {
  project_id: Fixed<string>;
  jti: Fixed<string>;
  expires_at: Fixed<number>;
}

/** The newest revocation list of each issuing authority (migration 0015). Nothing of it follows from the log. */
export interface CrlsTable {
  /** The key's identifier, hex. */
  issuer: string;
  /** The log size that it knows all revocations of. */
  as_of: number;
  this_update: number;
  next_update: number;
  der: Uint8Array;
}
