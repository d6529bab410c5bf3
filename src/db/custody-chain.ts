import { type Kysely, sql } from "kysely";
import {
  type ChainKey,
  type EventType,
  OF_OTHERS,
  PROJECT_CHAIN,
  type ProjectId,
} from "../custody/events.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { numbersOf } from "./log.ts";
import type { Schema } from "./schema.ts";

/** An event of an artifact's custody, by its index, and the other chain that it comes from where it is not of its own. */
export interface CustodyPlace {
  readonly index: number;
  readonly chain: ChainKey | null;
}

export interface CustodyPlaces {
  readonly artifact: Digest;
  /** The other artifacts whose evidence, containment and quarantines belong to it; undefined for its own chain alone. */
  readonly related: readonly Digest[] | undefined;
  /** Only events after this index. */
  readonly after: number;
  /** Only events below this index: as of a log size. */
  readonly below: number;
  readonly types: readonly EventType[] | undefined;
  readonly limit: number;
}

/** Where an artifact's custody stands in the log, in its order. What there is of other chains, is there once. */
export async function readCustodyPlaces(
  db: Kysely<Schema>,
  project: ProjectId,
  places: CustodyPlaces,
): Promise<CustodyPlace[]> {
  const { artifact, related, limit } = places;
  const parts = [
    ownPlaces(project, places),
    ...(related === undefined ? [] : [widePlaces(project, places)]),
    ...(related === undefined || related.length === 0 ? [] : [relatedPlaces(project, places, related)]),
  ];
  const { rows } = await sql<CustodyPlace>`
    select place.index, min(place.chain) as chain
    from (${sql.join(parts, sql` union all `)}) place
    where place.chain is null or not exists (
      select from log_chain own
      where own.project_id = ${project} and own.key = ${artifact} and own.index = place.index
    )
    group by place.index order by place.index limit ${limit}`.execute(db);
  return rows;
}

function ownPlaces(project: ProjectId, { artifact, ...range }: CustodyPlaces) {
  return sql`(
    select c.index, null as chain ${chainRange(project, sql`c.key = ${artifact}`, range)}
    order by c.index limit ${range.limit})`;
}

function relatedPlaces(project: ProjectId, range: CustodyPlaces, related: readonly Digest[]) {
  return sql`(
    select c.index, min(c.key) as chain ${chainRange(project, sql`c.key = any(${related}::text[])`, range)}
      and e.type = any(${numbersOf(OF_OTHERS)}::int2[])
    group by c.index order by c.index limit ${range.limit})`;
}

/**
 * Of the project's wide events those that touched the artifact: an activation, when something was recorded about it while
 * that was in force; an agent's revocation, when it had been granted identities for it.
 */
function widePlaces(project: ProjectId, { artifact, ...range }: CustodyPlaces) {
  return sql`(
    select c.index, ${PROJECT_CHAIN}::text as chain
    ${chainRange(project, sql`c.key = ${PROJECT_CHAIN}`, range)} and (
      e.type = any(${numbersOf(["policy.activated", "trust.activated"])}::int2[]) and exists (
        select from log_chain own
        where own.project_id = ${project} and own.key = ${artifact}
          and own.index > c.index and own.index < coalesce((
            select w.index from log_chain w join log_entries n on n.index = w.index
            where w.project_id = ${project} and w.key = ${PROJECT_CHAIN} and w.index > c.index
              and w.index < ${range.below} and n.type = e.type
            order by w.index limit 1), ${range.below}))
      or e.type = any(${numbersOf(["agent.revoked"])}::int2[]) and exists (
        select from agent_revocations r
        join identities i on i.project_id = r.project_id and i.requester = r.spiffe_id and i.index < r.index
        where r.project_id = ${project} and r.index = c.index and i.digests @> array[${artifact}]::text[]))
    order by c.index limit ${range.limit})`;
}

function chainRange(
  project: ProjectId,
  key: ReturnType<typeof sql>,
  { after, below, types }: Pick<CustodyPlaces, "after" | "below" | "types">,
) {
  return sql`
    from log_chain c join log_entries e on e.index = c.index
    where c.project_id = ${project} and ${key} and c.index > ${after} and c.index < ${below}
      and (${types === undefined ? sql`true` : sql`e.type = any(${numbersOf(types)}::int2[])`})`;
}
