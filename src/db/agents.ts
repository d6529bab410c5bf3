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
  /** Whether an operator took it back. */
  readonly revoked: boolean;
}

/** The agent's certificate with this serial number, expired and revoked ones too: the caller decides, with its clock. */
export async function findAgent(db: Kysely<Schema>, serial: string): Promise<AgentRecord | undefined> {
  const row = await db
    .selectFrom("agents")
    .select(["project_id", "spiffe_id", "serial", "key_hash", "expires_at"])
    .select(({ exists, selectFrom }) =>
      exists(
        selectFrom("agent_revocations as revocation")
          .select("revocation.index")
          .whereRef("revocation.project_id", "=", "agents.project_id")
          .whereRef("revocation.spiffe_id", "=", "agents.spiffe_id")
          .whereRef("revocation.index", ">", "agents.index"),
      ).as("revoked"),
    )
    .where("serial", "=", serial)
    .executeTakeFirst();
  return (
    row && {
      project: row.project_id as ProjectId,
      spiffeId: row.spiffe_id,
      serial: row.serial,
      keyHash: row.key_hash,
      expiresAt: row.expires_at,
      revoked: Boolean(row.revoked),
    }
  );
}

/** Of those agents that were ever revoked, the last event that did. */
export async function lastRevocations(
  db: Kysely<Schema>,
  project: ProjectId,
  spiffeIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom("agent_revocations")
    .select(({ fn }) => ["spiffe_id", fn.max("index").as("index")])
    .where("project_id", "=", project)
    .where((where) => where("spiffe_id", "=", where.fn.any(where.val([...spiffeIds]))))
    .groupBy("spiffe_id")
    .execute();
  return new Map(rows.map(({ spiffe_id, index }) => [spiffe_id, index]));
}

/** Whether an agent of this ID was ever given a certificate. */
export async function hasJoined(db: Kysely<Schema>, project: ProjectId, spiffeId: string): Promise<boolean> {
  const row = await db
    .selectFrom("agents")
    .select("serial")
    .where("project_id", "=", project)
    .where("spiffe_id", "=", spiffeId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
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
