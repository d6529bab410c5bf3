import { type Kysely, type RawBuilder, type Selectable, sql } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { QuarantineRule } from "../custody/quarantine-target.ts";
import type { Quarantine } from "../custody/quarantines.ts";
import type { Origin } from "../custody/revocation-target.ts";
import type { MetQuarantine } from "../decisions/quarantined.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { comesFrom } from "./origins.ts";
import type { QuarantinesTable } from "./schema/standing.ts";
import type { Schema } from "./schema.ts";
import { isUuid } from "./uuid.ts";

export interface QuarantineRecord extends Quarantine {
  readonly openedIndex: number;
  readonly liftedIndex?: number;
}

/** A quarantine as a decision meets it, with the event that opened it. */
export type MetQuarantineRecord = MetQuarantine & { readonly openedIndex: number };

/** Oldest first. */
export async function openQuarantines(db: Kysely<Schema>, project: ProjectId): Promise<QuarantineRecord[]> {
  const rows = await db
    .selectFrom("quarantines")
    .selectAll()
    .where("project_id", "=", project)
    .where("lifted_index", "is", null)
    .orderBy("opened_index")
    .execute();
  return rows.map(quarantineOf);
}

export async function findQuarantine(
  db: Kysely<Schema>,
  project: ProjectId,
  id: string,
): Promise<QuarantineRecord | undefined> {
  if (!isUuid(id)) return undefined;
  const row = await db
    .selectFrom("quarantines")
    .selectAll()
    .where("project_id", "=", project)
    .where("id", "=", id)
    .executeTakeFirst();
  return row === undefined ? undefined : quarantineOf(row);
}

/** Open ones of these SPIFFE IDs and of SVIDs with these serial numbers, oldest first. */
export async function quarantinesOfIdentities(
  db: Kysely<Schema>,
  project: ProjectId,
  { spiffeIds, serials }: { readonly spiffeIds: readonly string[]; readonly serials: readonly string[] },
): Promise<QuarantineRecord[]> {
  const rows = await db
    .selectFrom("quarantines")
    .selectAll()
    .where("project_id", "=", project)
    .where("lifted_index", "is", null)
    .where("target", "is not", null)
    .where(
      sql<boolean>`(target ->> 'spiffeId' = any (${[...spiffeIds]}::text[]) or target ->> 'serial' = any (${[...serials]}::text[]))`,
    )
    .orderBy("opened_index")
    .execute();
  return rows.map(quarantineOf);
}

/** Of these artifacts those that such a quarantine holds: `holdsArtifact` of `custody/quarantines.ts`, in SQL. */
export async function heldAmong(
  db: Kysely<Schema>,
  project: ProjectId,
  target: { readonly artifact: Digest } | Origin,
  artifacts: readonly Digest[],
): Promise<ReadonlySet<Digest>> {
  if ("artifact" in target) return new Set(artifacts.filter((digest) => digest === target.artifact));
  const { rows } = await sql<{ digest: Digest }>`
    select distinct subject.digest
    from attestation_subjects subject
    join attestations attestation
      on attestation.project_id = subject.project_id and attestation.id = subject.attestation
    where subject.project_id = ${project} and subject.digest = any (${[...artifacts]}::text[])
      and ${comesFrom(sql`${JSON.stringify(target)}::jsonb`)}`.execute(db);
  return new Set(rows.map(({ digest }) => digest));
}

/** The log size after the last event that opened or lifted a quarantine by rule; 0 before the first. */
export async function readQuarantinesAsOf(db: Kysely<Schema>, project: ProjectId): Promise<number> {
  const { size } = await db
    .selectNoFrom(
      sql<number>`(
        select coalesce(max(greatest(opened_index, lifted_index)) + 1, 0) from quarantines
        where project_id = ${project} and target is not null
      )`.as("size"),
    )
    .executeTakeFirstOrThrow();
  return size;
}

interface MetRow {
  readonly id: string;
  readonly artifact: Digest | null;
  readonly policy: string | null;
  readonly rule: QuarantineRule | null;
  readonly reason: string;
  readonly openedIndex: number;
}

/**
 * SQL: a JSON array of the quarantines that decisions about these artifacts meet, for `metQuarantineOf`: those that name one of
 * them, those whose rule holds one by what was accepted about it, and all of policies.
 *
 * @param artifacts an array of texts, so that the index of open quarantines is used however many there are
 * @param below as of which log size; absent: now
 */
export function quarantinesMet(project: ProjectId, artifacts: RawBuilder<unknown>, below?: number) {
  const isOpen =
    below === undefined
      ? sql`q.lifted_index is null`
      : sql`q.opened_index < ${below} and (q.lifted_index is null or q.lifted_index >= ${below})`;
  // The rules first, of which there are few or none: what was accepted is looked at for each.
  return sql<readonly MetRow[]>`(
    with met as (
      select q.id, q.artifact, null as policy, null::jsonb as rule, q.reason, q.opened_index
      from quarantines q
      where q.project_id = ${project} and q.artifact = any (${artifacts}) and ${isOpen}
      union all
      select q.id, null, q.target ->> 'policy', q.target, q.reason, q.opened_index
      from quarantines q
      where q.project_id = ${project} and q.target is not null and q.target ? 'policy' and ${isOpen}
      union all
      select q.id, held.digest, null, q.target, q.reason, q.opened_index
      from quarantines q
      cross join lateral (
        select distinct subject.digest
        from attestation_subjects subject
        join attestations attestation
          on attestation.project_id = subject.project_id and attestation.id = subject.attestation
        where subject.project_id = ${project} and subject.digest = any (${artifacts})
          and ${comesFrom(sql`q.target`)} ${below === undefined ? sql`` : sql`and attestation.index < ${below}`}
      ) held
      where q.project_id = ${project} and q.target is not null and ${isOpen}
        and q.target ?| array['builder', 'repository', 'signer']
    )
    select coalesce(json_agg(json_build_object('id', id, 'artifact', artifact, 'policy', policy, 'rule', rule,
      'reason', reason, 'openedIndex', opened_index) order by opened_index, artifact), '[]'::json)
    from met
  )`;
}

export function metQuarantineOf({ artifact, policy, rule, ...row }: MetRow): MetQuarantineRecord {
  const by = rule === null ? row : { ...row, rule };
  if (artifact !== null) return { ...by, artifact };
  return { ...by, policy: policy ?? "" };
}

function quarantineOf(row: Selectable<QuarantinesTable>): QuarantineRecord {
  return {
    id: row.id,
    target: row.target ?? { artifact: row.artifact as Digest },
    reason: row.reason,
    openedIndex: row.opened_index,
    ...(row.lifted_index !== null && { liftedIndex: row.lifted_index }),
  };
}
