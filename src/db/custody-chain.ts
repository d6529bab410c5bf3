import { type Kysely, sql } from "kysely";
import {
  type ChainKey,
  EVENT_TYPES,
  type EventType,
  OF_OTHERS,
  PROJECT_CHAIN,
  type ProjectId,
} from "../custody/events.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { numbersOf } from "./log.ts";
import { comesFrom } from "./origins.ts";
import type { Schema } from "./schema.ts";

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

/** The other artifacts that verdicts of an artifact rested on below a log size, sorted: what `relatedBy` says of its events. */
export async function readRelated(
  db: Kysely<Schema>,
  project: ProjectId,
  artifact: Digest,
  below: number,
): Promise<Digest[]> {
  const rows = await db
    .selectFrom("verdict_grounds")
    .select("ground")
    .where("project_id", "=", project)
    .where("artifact", "=", artifact)
    .where("ground", "<>", artifact)
    .where("index", "<", below)
    .execute();
  return rows.map(({ ground }) => ground as Digest).sort();
}

/** The indexes of an artifact's events, and of those that belong beside them, in the order of the log. */
export async function readCustodyIndexes(
  db: Kysely<Schema>,
  project: ProjectId,
  places: CustodyPlaces,
): Promise<number[]> {
  const { artifact, related, limit } = places;
  const others = numbersOf(OF_OTHERS);
  const parts = [
    // Each part is as long as the whole can be, and no longer: a page costs what it holds.
    sql`(select c.index ${inChains(project, [artifact], places)} order by c.index limit ${limit})`,
    ...(related === undefined ? [] : [wideIndexes(project, places)]),
    ...(related === undefined || related.length === 0
      ? []
      : [
          sql`(select distinct c.index ${inChains(project, related, places)} and e.type = any(${others}::int2[])
            order by c.index limit ${limit})`,
        ]),
  ];
  const { rows } = await sql<{ index: number }>`
    select distinct place.index from (${sql.join(parts, sql` union all `)}) place
    order by place.index limit ${limit}`.execute(db);
  return rows.map(({ index }) => index);
}

/**
 * Of the project's wide events those that touched the artifact: an activation, when something was recorded about it while
 * that was in force; what suspends the project or resumes it; an agent's revocation, when it had been granted identities for it; and what revokes evidence or takes
 * that back, when evidence about it, or about what its verdicts rest on, is of that source, builder or signer.
 */
function wideIndexes(project: ProjectId, { artifact, related = [], ...range }: CustodyPlaces) {
  return sql`(
    select c.index ${inChains(project, [PROJECT_CHAIN], range)} and (
      e.type = any(${numbersOf(["policy.activated", "trust.activated"])}::int2[]) and exists (
        select from log_chain own
        where own.project_id = ${project} and own.key = ${artifact}
          and own.index > c.index and own.index < coalesce((
            select w.index from log_chain w join log_entries n on n.index = w.index
            where w.project_id = ${project} and w.key = ${PROJECT_CHAIN} and w.index > c.index
              and w.index < ${range.below} and n.type = e.type
            order by w.index limit 1), ${range.below}))
      or e.type = any(${numbersOf(["project.suspended", "project.resumed"])}::int2[])
      or e.type = any(${numbersOf(["agent.revoked"])}::int2[]) and exists (
        select from agent_revocations r
        join identities i on i.project_id = r.project_id and i.requester = r.spiffe_id and i.index < r.index
        where r.project_id = ${project} and r.index = c.index and i.digests @> array[${artifact}]::text[])
      or e.type = any(${numbersOf(["evidence.revoked", "revocation.withdrawn"])}::int2[]) and exists (
        select from revocations r
        join attestation_subjects s on s.project_id = ${project} and s.digest = any(${[artifact, ...related]}::text[])
        join attestations attestation on attestation.project_id = ${project} and attestation.id = s.attestation
          and attestation.index < ${range.below}
        where r.project_id = ${project} and c.index in (r.revoked_index, r.withdrawn_index) and (
          r.target ->> 'attestation' = attestation.id or r.target ->> 'artifact' = s.digest
          or ${comesFrom(sql`r.target`)}))
      or e.type = any(${numbersOf(["quarantine.opened", "quarantine.lifted"])}::int2[]) and exists (
        select from quarantines q
        where q.project_id = ${project} and c.index in (q.opened_index, q.lifted_index) and (
          exists (
            select from attestation_subjects s
            join attestations attestation on attestation.project_id = ${project} and attestation.id = s.attestation
            where s.project_id = ${project} and s.digest = any(${[artifact, ...related]}::text[])
              and attestation.index < ${range.below} and ${comesFrom(sql`q.target`)})
          or exists (
            select from verdicts v
            where v.project_id = ${project} and v.artifact = ${artifact} and v.policy = q.target ->> 'policy')
          or exists (
            select from identities i
            where i.project_id = ${project} and i.spiffe_id = q.target ->> 'spiffeId'
              and i.digests @> array[${artifact}]::text[]))))
    order by c.index limit ${range.limit})`;
}

function inChains(
  project: ProjectId,
  keys: readonly ChainKey[],
  { after, below, types }: Pick<CustodyPlaces, "after" | "below" | "types">,
) {
  return sql`
    from log_chain c join log_entries e on e.index = c.index
    where c.project_id = ${project} and ${among(keys)} and c.index > ${after} and c.index < ${below}
      and (${types === undefined ? sql`true` : sql`e.type = any(${numbersOf(types)}::int2[])`})`;
}

/** One chain's rows come in their order, so that a page of a long one is read and not the whole. */
function among(keys: readonly ChainKey[]) {
  return keys.length === 1 ? sql`c.key = ${keys[0]}` : sql`c.key = any(${keys}::text[])`;
}

/** The indexes of the activations, of policies and of trust, that are the last below a log size. */
export async function readLastActivations(
  db: Kysely<Schema>,
  project: ProjectId,
  below: number,
): Promise<number[]> {
  const last = (type: EventType) => sql`(
    select c.index from log_chain c join log_entries e on e.index = c.index
    where c.project_id = ${project} and c.key = ${PROJECT_CHAIN} and c.index < ${below} and e.type = ${EVENT_TYPES[type]}
    order by c.index desc limit 1)`;
  const { rows } = await sql<{ index: number }>`
    ${last("policy.activated")} union all ${last("trust.activated")}`.execute(db);
  return rows.map(({ index }) => index);
}

/** The index of an artifact's `count`th event from its newest below a log size back; undefined where it has no more than those. */
export async function readNewestFrom(
  db: Kysely<Schema>,
  project: ProjectId,
  { artifact, below }: Pick<CustodyPlaces, "artifact" | "below">,
  count: number,
): Promise<number | undefined> {
  const [from, before] = await db
    .selectFrom("log_chain")
    .select("index")
    .where("project_id", "=", project)
    .where("key", "=", artifact)
    .where("index", "<", below)
    .orderBy("index", "desc")
    .offset(count - 1)
    .limit(2)
    .execute();
  return before === undefined ? undefined : from?.index;
}
