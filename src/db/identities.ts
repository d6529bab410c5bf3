import { type Kysely, type Selectable, sql } from "kysely";
import { type ChainKey, EVENT_TYPES, PROJECT_CHAIN, type ProjectId, RECORDS } from "../custody/events.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { IdentitiesTable, Schema } from "./schema.ts";

/** An SVID that was granted. Times are milliseconds since the epoch. */
export interface IdentityRecord {
  readonly kind: "x509" | "jwt";
  /** Serial number in hex, or the JWT's `jti`. */
  readonly serial: string;
  readonly spiffeId: string;
  readonly workload: string;
  readonly digests: readonly Digest[];
  readonly policies: readonly string[];
  readonly requester: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly index: number;
}

export interface IdentitySearch {
  readonly digest?: Digest;
  /** Only those granted for one of these, at least. */
  readonly anyOf?: readonly Digest[];
  readonly spiffeId?: string;
  /** Only those that have not expired at this time. */
  readonly liveAt?: number;
  /** Only those granted before this index: the page after one that ended there. */
  readonly before?: number;
  readonly limit: number;
}

/** Newest first. */
export async function searchIdentities(
  db: Kysely<Schema>,
  project: ProjectId,
  { digest, anyOf, spiffeId, liveAt, before, limit }: IdentitySearch,
): Promise<IdentityRecord[]> {
  let query = db.selectFrom("identities").selectAll().where("project_id", "=", project);
  if (digest !== undefined) query = query.where("digests", "@>", sql<string[]>`array[${digest}]`);
  if (anyOf !== undefined) query = query.where("digests", "&&", sql<string[]>`${[...anyOf]}::text[]`);
  if (spiffeId !== undefined) query = query.where("spiffe_id", "=", spiffeId);
  if (liveAt !== undefined) query = query.where("expires_at", ">", liveAt);
  if (before !== undefined) query = query.where("index", "<", before);
  return (await query.orderBy("index", "desc").limit(limit).execute()).map(identityOf);
}

/** Those of the serial numbers that there are. */
export async function findX509Identities(
  db: Kysely<Schema>,
  project: ProjectId,
  serials: readonly string[],
): Promise<IdentityRecord[]> {
  const rows = await db
    .selectFrom("identities")
    .selectAll()
    .where("project_id", "=", project)
    .where("kind", "=", "x509")
    .where("serial", "in", serials)
    .execute();
  return rows.map(identityOf);
}

const RECORD_TYPES = RECORDS.map((type) => EVENT_TYPES[type]);

/**
 * The digests of the requester's live identities that something from log index `from` on may concern, for it joined
 * their chain or one that their verdicts rest on; and `*` where it concerns the whole project.
 */
export async function touchedIdentities(
  db: Kysely<Schema>,
  project: ProjectId,
  { requester, liveAt, from }: { requester: string; liveAt: number; from: number },
): Promise<ChainKey[]> {
  const { rows } = await sql<{ touched: ChainKey }>`
    with live as (
      select distinct unnest(digests) as digest from identities
      where project_id = ${project} and requester = ${requester} and expires_at > ${liveAt}
    ), watched (key, touched) as (
      select ${PROJECT_CHAIN}::text, ${PROJECT_CHAIN}::text
      union select digest, digest from live
      union select unnest(v.rests_on), v.artifact
      from verdicts v join live on live.digest = v.artifact where v.project_id = ${project}
    )
    select distinct touched
    from log_chain c
    join log_entries e on e.index = c.index
    join watched on watched.key = c.key
    where c.project_id = ${project} and c.index >= ${from} and e.type <> all (${RECORD_TYPES}::int2[])
    order by touched`.execute(db);
  return rows.map(({ touched }) => touched);
}

function identityOf(row: Selectable<IdentitiesTable>): IdentityRecord {
  return {
    kind: row.kind,
    serial: row.serial,
    spiffeId: row.spiffe_id,
    workload: row.workload,
    digests: row.digests as Digest[],
    policies: row.policies,
    requester: row.requester,
    issuedAt: row.issued_at,
    expiresAt: row.expires_at,
    index: row.index,
  };
}
