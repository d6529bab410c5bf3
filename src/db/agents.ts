import type { Kysely } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Schema } from "./schema.ts";

/** A certificate that an agent was given. */
export interface AgentRecord {
  readonly project: ProjectId;
  readonly spiffeId: string;
  /** Hex. */
  readonly serial: string;
  /** sha256 of the key's SubjectPublicKeyInfo. */
  readonly keyHash: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The agent's certificate with this serial number, expired ones too: the caller decides, with its clock. */
export async function findAgent(db: Kysely<Schema>, serial: string): Promise<AgentRecord | undefined> {
  const row = await db
    .selectFrom("agents")
    .select(["project_id", "spiffe_id", "serial", "key_hash", "expires_at"])
    .where("serial", "=", serial)
    .executeTakeFirst();
  return (
    row && {
      project: row.project_id as ProjectId,
      spiffeId: row.spiffe_id,
      serial: row.serial,
      keyHash: row.key_hash,
      expiresAt: row.expires_at,
    }
  );
}

/**
 * Uses up a proof, on all nodes at once. False when it was used before. On the way proofs that expired before
 * `forgetBefore` are forgotten.
 */
export async function useProof(
  db: Kysely<Schema>,
  project: ProjectId,
  proof: { readonly jti: string; readonly expiresAt: number },
  forgetBefore: number,
): Promise<boolean> {
  const used = await db
    .with("forgotten", (query) =>
      query.deleteFrom("agent_requests").where("expires_at", "<", forgetBefore).returning("jti"),
    )
    .insertInto("agent_requests")
    .values({ project_id: project, jti: proof.jti, expires_at: proof.expiresAt })
    .onConflict((conflict) => conflict.doNothing())
    .returning("jti")
    .execute();
  return used.length > 0;
}
