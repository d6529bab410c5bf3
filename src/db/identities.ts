import { type Kysely, type Selectable, sql } from "kysely";
import {
  type ChainKey,
  EVENT_TYPES,
  INSTALLATION,
  PROJECT_CHAIN,
  type ProjectId,
  RECORDS,
} from "../custody/events.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { IdentitiesTable } from "./schema/identities.ts";
import type { Schema } from "./schema.ts";

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
  /** The event that revoked it, if one did. */
  readonly revokedIndex: number | null;
}

export interface IdentitySearch {
  readonly digest?: Digest;
  /** Only those granted for one of these, at least. */
  readonly anyOf?: readonly Digest[];
  readonly spiffeId?: string;
  /** Serial number in hex, or the JWT's `jti`. */
  readonly serial?: string;
  /** Only those granted by one of these workload policies. */
  readonly workloads?: readonly string[];
  readonly requester?: string;
  /** Only those that live at this time: neither expired nor revoked. */
  readonly liveAt?: number;
  /** With `liveAt`: those that were revoked at this log index or after live. */
  readonly liveBelow?: number;
  /** Only those granted before this index: the page after one that ended there. */
  readonly before?: number;
  readonly limit: number;
}

/** Newest first. */
export async function searchIdentities(
  db: Kysely<Schema>,
  project: ProjectId,
  { digest, anyOf, spiffeId, serial, workloads, requester, liveAt, liveBelow, before, limit }: IdentitySearch,
): Promise<IdentityRecord[]> {
  let query = selectIdentities(db, project);
  if (digest !== undefined) query = query.where("digests", "@>", sql<string[]>`array[${digest}]`);
  if (anyOf !== undefined) query = query.where("digests", "&&", sql<string[]>`${[...anyOf]}::text[]`);
  if (spiffeId !== undefined) query = query.where("spiffe_id", "=", spiffeId);
  if (serial !== undefined)
    query = query.where("identities.kind", "in", ["x509", "jwt"]).where("identities.serial", "=", serial);
  if (workloads !== undefined) query = query.where("workload", "in", workloads);
  if (requester !== undefined) query = query.where("requester", "=", requester);
  if (liveAt !== undefined) {
    query = query
      .where("identities.expires_at", ">", liveAt)
      .where(({ eb, or }) =>
        or([
          eb("revocation.index", "is", null),
          ...(liveBelow === undefined ? [] : [eb("revocation.index", ">=", liveBelow)]),
        ]),
      );
  }
  if (before !== undefined) query = query.where("identities.index", "<", before);
  return (await query.orderBy("identities.index", "desc").limit(limit).execute()).map(identityOf);
}

/** Those of the serial numbers that there are. */
export async function findX509Identities(
  db: Kysely<Schema>,
  project: ProjectId,
  serials: readonly string[],
): Promise<IdentityRecord[]> {
  const rows = await selectIdentities(db, project)
    .where("identities.kind", "=", "x509")
    .where("identities.serial", "in", serials)
    .execute();
  return rows.map(identityOf);
}

/** What an authority signed that was taken back is to be asked for anew, in every project. */
const RETIRED = EVENT_TYPES["authority.retired"];
const REVOKED = EVENT_TYPES["identity.revoked"];
const RECORD_TYPES = RECORDS.map((type) => EVENT_TYPES[type]);

/** Log index of the oldest identity that lives, if one does: nothing before it can concern any. */
export async function oldestLive(
  db: Kysely<Schema>,
  project: ProjectId,
  liveAt: number,
): Promise<number | undefined> {
  const { oldest } = await selectIdentities(db, project)
    .clearSelect()
    .select(({ fn }) => fn.min<number | null>("identities.index").as("oldest"))
    .where("identities.expires_at", ">", liveAt)
    .where("revocation.index", "is", null)
    .executeTakeFirstOrThrow();
  return oldest ?? undefined;
}

/**
 * Whether anything was logged from this index on that `touchedIdentities` could find: seldom, while grants are recorded all the
 * time, and to know it takes no look at what lives.
 */
export async function hasMoved(db: Kysely<Schema>, project: ProjectId, from: number): Promise<boolean> {
  const moved = await db
    .selectFrom("log_entries")
    .select("index")
    .where("index", ">=", from)
    .where(({ eb, and, or }) =>
      or([
        and([
          eb("project_id", "=", project),
          or([eb("type", "not in", RECORD_TYPES), eb("type", "=", REVOKED)]),
        ]),
        and([eb("project_id", "=", INSTALLATION), eb("type", "=", RETIRED)]),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  return moved !== undefined;
}

/** A digest of live identities, or `*` for all of the project's, and the newest event that concerns it. */
export interface Touched {
  readonly key: ChainKey;
  readonly index: number;
}

/**
 * The digests of live identities that something from log index `from` on may concern, for it joined their chain or one
 * that their verdicts rest on; of a requester's also those of which one was revoked since; and `*` where it concerns the whole project.
 *
 * @param requester only those granted to this one
 */
export async function touchedIdentities(
  db: Kysely<Schema>,
  project: ProjectId,
  { requester, liveAt, from }: { requester?: string; liveAt: number; from: number },
): Promise<Touched[]> {
  const { rows } = await sql<Touched>`
    with live as (
      select unnest(i.digests) as digest, max(r.index) as revoked
      from identities i
      left join identity_revocations r on r.project_id = i.project_id and r.kind = i.kind and r.serial = i.serial
      where i.project_id = ${project} and i.expires_at > ${liveAt} and (r.index is null or (i.requester = ${requester ?? null} and r.index >= ${from}))
        and (${requester ?? null}::text is null or i.requester = ${requester ?? null})
      group by 1
    ), watched (chain, key) as (
      select ${PROJECT_CHAIN}::text, ${PROJECT_CHAIN}::text
      union select digest, digest from live
      union select unnest(v.rests_on), v.artifact
      from verdicts v join live on live.digest = v.artifact where v.project_id = ${project}
    ), touched (key, index) as (
      select watched.key, c.index
      from log_chain c
      join log_entries e on e.index = c.index
      join watched on watched.chain = c.key
      where c.project_id = ${project} and c.index >= ${from} and e.type <> all (${RECORD_TYPES}::int2[])
      union all select digest, revoked from live where revoked is not null
      union all
      select ${PROJECT_CHAIN}, c.index
      from log_chain c
      join log_entries e on e.index = c.index
      where c.project_id = ${INSTALLATION} and c.key = ${PROJECT_CHAIN} and c.index >= ${from} and e.type = ${RETIRED}
    )
    select key, max(index) as index from touched group by key order by key`.execute(db);
  return rows;
}

/** With the event that revoked each, as `revocation`. */
function selectIdentities(db: Kysely<Schema>, project: ProjectId) {
  return db
    .selectFrom("identities")
    .leftJoin("identity_revocations as revocation", (join) =>
      join
        .onRef("revocation.project_id", "=", "identities.project_id")
        .onRef("revocation.kind", "=", "identities.kind")
        .onRef("revocation.serial", "=", "identities.serial"),
    )
    .selectAll("identities")
    .select("revocation.index as revoked_index")
    .where("identities.project_id", "=", project);
}

function identityOf(
  row: Selectable<IdentitiesTable> & { readonly revoked_index: number | null },
): IdentityRecord {
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
    revokedIndex: row.revoked_index,
  };
}
