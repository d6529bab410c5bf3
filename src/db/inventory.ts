import { type Kysely, sql } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { Schema } from "./schema.ts";

export const STATES = ["live", "ended", "revoked"] as const;
export const MARKS = ["never-renewed", "orphaned", "unowned"] as const;
export type InventoryState = (typeof STATES)[number];
export type InventoryMark = (typeof MARKS)[number];

/** One who was granted something. Times are milliseconds since the epoch. */
export interface InventoryRecord {
  readonly subject: string;
  /** Empty where an outside issuer granted, as `issuer` is where the SVIDs are ours. */
  readonly workload: string;
  readonly issuer: string;
  readonly requester: string;
  /** Of the newest grant. */
  readonly state: InventoryState;
  /** SVIDs that neither expired nor were revoked; of an outside issuer none are known. */
  readonly live: number;
  readonly grants: number;
  readonly firstGranted: number;
  readonly lastGranted: number;
  readonly lastRenewed: number | null;
  readonly expiresAt: number | null;
  readonly digests: readonly Digest[];
  readonly marks: readonly InventoryMark[];
  /** The first grant's event, and the newest one's. */
  readonly firstIndex: number;
  readonly lastIndex: number;
}

export interface InventorySearch {
  readonly subject?: string;
  readonly workload?: string;
  readonly issuer?: string;
  readonly requester?: string;
  /** Only those whose newest grant was for this one. */
  readonly digest?: Digest;
  readonly state?: InventoryState;
  readonly mark?: InventoryMark;
  /** Only those whose first grant was before this index. */
  readonly before?: number;
  readonly limit: number;
}

/** What the log alone does not say of who is in the inventory. */
export interface InventoryGround {
  readonly now: number;
  /** The active workload policies, and those of them that name an owner. */
  readonly active: readonly string[];
  readonly owned: readonly string[];
}

/** Those whose first grant is newest come first. */
export async function searchInventory(
  db: Kysely<Schema>,
  project: ProjectId,
  search: InventorySearch,
  { now, active, owned }: InventoryGround,
): Promise<InventoryRecord[]> {
  const { subject, workload, issuer, requester, digest, before, limit } = search;
  const conditions = [sql`v.project_id = ${project}`];
  if (subject !== undefined) conditions.push(sql`v.subject = ${subject}`);
  if (workload !== undefined) conditions.push(sql`v.workload = ${workload}`);
  if (issuer !== undefined) conditions.push(sql`v.issuer = ${issuer}`);
  if (requester !== undefined) conditions.push(sql`v.requester = ${requester}`);
  if (digest !== undefined) conditions.push(sql`v.digests @> array[${digest}]`);
  if (before !== undefined) conditions.push(sql`v.first_index < ${before}`);

  const isRevoked = sql`(v.withdrawn_at is not null or revocation.index is not null)`;
  const states = {
    live: sql`(not ${isRevoked} and (v.expires_at is null or v.expires_at > ${now}))`,
    ended: sql`(not ${isRevoked} and v.expires_at <= ${now})`,
    revoked: isRevoked,
  } satisfies Record<InventoryState, unknown>;
  const marks = {
    "never-renewed": sql`(v.last_renewed is null and v.first_end <= ${now})`,
    unowned: sql`(v.issuer <> '' or v.workload <> all (${[...owned]}::text[]))`,
    orphaned: sql`(
      (v.issuer = '' and v.workload <> all (${[...active]}::text[])) or not case
        when v.issuer <> '' then exists (select 1 from tokens t
          where t.project_id = v.project_id and t.id = v.requester and t.revoked_at is null and t.expires_at > ${now})
        when v.requester like 'issuer:%' then exists (select 1 from tokens t
          where t.project_id = v.project_id and t.name = substr(v.requester, 8) and 'issuer' = any (t.roles)
            and t.revoked_at is null and t.expires_at > ${now})
        else exists (select 1 from agents a
          where a.project_id = v.project_id and a.spiffe_id = v.requester and a.expires_at > ${now} and not exists (
            select 1 from agent_revocations r
            where r.project_id = a.project_id and r.spiffe_id = a.spiffe_id and r.index > a.index))
      end)`,
  } satisfies Record<InventoryMark, unknown>;
  if (search.state !== undefined) conditions.push(states[search.state]);
  if (search.mark !== undefined) conditions.push(marks[search.mark]);

  // What lives is counted of those alone that are on the page.
  const { rows } = await sql<Row>`
    select page.*, lives.count as live
    from (
      select v.*, case when ${states.revoked} then 'revoked' when ${states.live} then 'live' else 'ended' end as state,
             ${marks["never-renewed"]} as never_renewed, ${marks.orphaned} as orphaned, ${marks.unowned} as unowned
      from inventory v
      left join identity_revocations revocation
        on revocation.project_id = v.project_id and revocation.kind = v.kind and revocation.serial = v.serial
      where ${sql.join(conditions, sql` and `)}
      order by v.first_index desc limit ${limit}
    ) page
    cross join lateral (
      select count(*)::int8 as count from identities i
      left join identity_revocations r on r.project_id = i.project_id and r.kind = i.kind and r.serial = i.serial
      where page.issuer = '' and i.project_id = page.project_id and i.spiffe_id = page.subject
        and i.workload = page.workload and i.requester = page.requester and i.expires_at > ${now} and r.index is null
    ) lives
    order by page.first_index desc`.execute(db);
  return rows.map(recordOf);
}

interface Row {
  readonly subject: string;
  readonly workload: string;
  readonly issuer: string;
  readonly requester: string;
  readonly state: InventoryState;
  readonly live: number;
  readonly grants: number;
  readonly first_granted: number;
  readonly last_granted: number;
  readonly last_renewed: number | null;
  readonly expires_at: number | null;
  readonly digests: Digest[];
  readonly never_renewed: boolean | null;
  readonly orphaned: boolean;
  readonly unowned: boolean;
  readonly first_index: number;
  readonly last_index: number;
}

function recordOf(row: Row): InventoryRecord {
  const { subject, workload, issuer, requester, state, live, grants, digests } = row;
  const marked = { "never-renewed": row.never_renewed, orphaned: row.orphaned, unowned: row.unowned };
  return {
    subject,
    workload,
    issuer,
    requester,
    state,
    live,
    grants,
    digests,
    firstGranted: row.first_granted,
    lastGranted: row.last_granted,
    lastRenewed: row.last_renewed,
    expiresAt: row.expires_at,
    marks: MARKS.filter((mark) => marked[mark] === true),
    firstIndex: row.first_index,
    lastIndex: row.last_index,
  };
}
