import { type Kysely, sql } from "kysely";
import type { ProjectId } from "../custody/events.ts";
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

/** A revoked identity with what revoked it. Times in milliseconds since the epoch. */
export interface RevocationOfIdentity {
  readonly kind: "x509" | "jwt";
  /** Serial number in hex, or the JWT's `jti`. */
  readonly serial: string;
  readonly spiffeId: string;
  readonly workload: string;
  readonly requester: string;
  readonly digests: readonly string[];
  readonly reasons: readonly string[];
  readonly cause: number | null;
  readonly revokedAt: number;
  readonly expiresAt: number;
  readonly index: number;
}

/** A place in the order of a list. */
export interface RevocationPlace {
  readonly index: number;
  readonly serial: string;
}

export interface IdentityRevocationSearch {
  /** Only those that have not expired at this time. */
  readonly endingAfter: number;
  readonly digest?: string;
  readonly spiffeId?: string;
  readonly kind?: "x509" | "jwt";
  /** Only those after this place. */
  readonly after?: RevocationPlace;
  readonly limit: number;
}

/** Newest first, those of one event by their serial numbers. */
export async function searchIdentityRevocations(
  db: Kysely<Schema>,
  project: ProjectId,
  { endingAfter, digest, spiffeId, kind, after, limit }: IdentityRevocationSearch,
): Promise<RevocationOfIdentity[]> {
  let query = db
    .selectFrom("identity_revocations as revocation")
    .innerJoin("identities as identity", (join) =>
      join
        .onRef("identity.project_id", "=", "revocation.project_id")
        .onRef("identity.kind", "=", "revocation.kind")
        .onRef("identity.serial", "=", "revocation.serial"),
    )
    .innerJoin("log_entries as entry", "entry.index", "revocation.index")
    .select([
      "revocation.kind",
      "revocation.serial",
      "identity.spiffe_id as spiffeId",
      "identity.workload",
      "identity.requester",
      "identity.digests",
      "revocation.reasons",
      "revocation.cause",
      "entry.time as revokedAt",
      "revocation.expires_at as expiresAt",
      "revocation.index",
    ])
    .where("revocation.project_id", "=", project)
    .where("revocation.expires_at", ">", endingAfter);
  if (digest !== undefined) query = query.where("identity.digests", "@>", sql<string[]>`array[${digest}]`);
  if (spiffeId !== undefined) query = query.where("identity.spiffe_id", "=", spiffeId);
  if (kind !== undefined) query = query.where("revocation.kind", "=", kind);
  if (after !== undefined) {
    query = query.where((where) =>
      where.or([
        where("revocation.index", "<", after.index),
        where.and([
          where("revocation.index", "=", after.index),
          where("revocation.serial", ">", after.serial),
        ]),
      ]),
    );
  }
  return query.orderBy("revocation.index", "desc").orderBy("revocation.serial").limit(limit).execute();
}

/** What an event revoked: no more than relying parties need. */
export interface RevokedBy {
  readonly index: number;
  readonly revoked: readonly {
    readonly kind: "x509" | "jwt";
    readonly serial: string;
    /** Milliseconds since the epoch. */
    readonly expiresAt: number;
  }[];
}

/** Of the first `limit` events from an index on that revoked what has not expired at this time, of all projects, what they revoked. */
export async function revokedFrom(
  db: Kysely<Schema>,
  {
    from,
    endingAfter,
    limit,
  }: { readonly from: number; readonly endingAfter: number; readonly limit: number },
): Promise<RevokedBy[]> {
  const { rows } = await sql<RevokedBy>`
    select index, json_agg(json_build_object('kind', kind, 'serial', serial, 'expiresAt', expires_at) order by serial) as revoked
    from identity_revocations where index in (
      select distinct index from identity_revocations
      where index >= ${from} and expires_at > ${endingAfter} order by index limit ${limit}
    ) and expires_at > ${endingAfter}
    group by index order by index`.execute(db);
  return rows;
}
