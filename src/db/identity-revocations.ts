import { type Kysely, sql } from "kysely";
import type { Schema } from "./schema.ts";

/** A certificate that is revoked and has not expired. */
export interface RevokedSerial {
  /** Hex. */
  readonly serial: string;
  /** When the event was recorded that revoked it, in milliseconds since the epoch. */
  readonly revokedAt: number;
}

/** The log size after the last event that revoked an identity or an agent, of any project; 0 before the first. */
export async function revokedAsOf(db: Kysely<Schema>): Promise<number> {
  const { rows } = await sql<{ size: number }>`
    select greatest(
      (select max(index) from identity_revocations), (select max(index) from agent_revocations), -1
    ) + 1 as size`.execute(db);
  return rows[0]?.size ?? 0;
}

/** The X.509-SVIDs of workloads and of agents, of all projects, that are revoked and end after this time; by their serial numbers. */
export async function revokedCertificates(db: Kysely<Schema>, endingAfter: number): Promise<RevokedSerial[]> {
  const { rows } = await sql<RevokedSerial>`
    select revoked.serial, entry.time as "revokedAt" from (
      select serial, index from identity_revocations where kind = 'x509' and expires_at > ${endingAfter}
      union all
      select agent.serial, min(revocation.index) from agents agent
      join agent_revocations revocation on revocation.project_id = agent.project_id
        and revocation.spiffe_id = agent.spiffe_id and revocation.index > agent.index
      where agent.expires_at > ${endingAfter}
      group by agent.serial
    ) revoked
    join log_entries entry on entry.index = revoked.index
    order by revoked.serial`.execute(db);
  return rows;
}
