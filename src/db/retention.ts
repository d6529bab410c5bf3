import { type Expression, type Kysely, type SqlBool, sql } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { Use } from "../policy/retention.ts";
import type { Schema } from "./schema.ts";
import { isUuid } from "./uuid.ts";

/** A legal hold that stands. */
export interface HoldRecord {
  readonly id: string;
  readonly artifact: Digest;
  readonly reason: string;
  readonly index: number;
}

const HOLD_COLUMNS = ["id", "artifact", "reason", "index"] as const;

const isStanding = sql<SqlBool>`not exists (
  select from hold_releases r where r.project_id = holds.project_id and r.id = holds.id
)`;

/** All that stand, the oldest first. */
export async function standingHolds(
  db: Kysely<Schema>,
  project: ProjectId,
  artifact?: Digest,
): Promise<HoldRecord[]> {
  let query = db.selectFrom("holds").select(HOLD_COLUMNS).where("project_id", "=", project).where(isStanding);
  if (artifact !== undefined) query = query.where("artifact", "=", artifact);
  return (await query.orderBy("index").execute()).map(holdOf);
}

export async function findStandingHold(
  db: Kysely<Schema>,
  project: ProjectId,
  id: string,
): Promise<HoldRecord | undefined> {
  if (!isUuid(id)) return undefined;
  const row = await db
    .selectFrom("holds")
    .select(HOLD_COLUMNS)
    .where("project_id", "=", project)
    .where("id", "=", id)
    .where(isStanding)
    .executeTakeFirst();
  return row && holdOf(row);
}

function holdOf(row: { id: string; artifact: string; reason: string; index: number }): HoldRecord {
  return { ...row, artifact: row.artifact as Digest };
}

/** The retention class that was assigned to an artifact. */
export async function assignedClass(
  db: Kysely<Schema>,
  project: ProjectId,
  artifact: Digest,
): Promise<string | undefined> {
  const row = await db
    .selectFrom("retention_classes")
    .select("class")
    .where("project_id", "=", project)
    .where("artifact", "=", artifact)
    .executeTakeFirst();
  return row?.class;
}

/** Log index of the event by which the attestation's bytes went. */
export async function findExpiration(
  db: Kysely<Schema>,
  project: ProjectId,
  attestation: Digest,
): Promise<number | undefined> {
  const row = await db
    .selectFrom("expirations")
    .select("index")
    .where("project_id", "=", project)
    .where("attestation", "=", attestation)
    .executeTakeFirst();
  return row?.index;
}

/** Whether the bytes of an attestation of the table of this name are there still. */
export function notExpired(attestations: string): Expression<SqlBool> {
  const [project, id] = [sql.ref(`${attestations}.project_id`), sql.ref(`${attestations}.id`)];
  return sql<SqlBool>`not exists (
    select from expirations x where x.project_id = ${project} and x.attestation = ${id}
  )`;
}

/** An attestation whose bytes are there still, and what they are kept for. */
export interface KeptAttestation {
  readonly id: Digest;
  readonly index: number;
  /** Milliseconds since the epoch. */
  readonly acceptedAt: number;
  /** What it is about. */
  readonly subjects: readonly Digest[];
  readonly uses: readonly (Use & { readonly artifact: Digest })[];
}

/** Artifacts on whose account one attestation is kept that are looked at: twice as many as one can name. */
export const MAX_USES = 2_048;

/** Attestations accepted by `acceptedBy` whose bytes are there, in the order of the log after index `after`. */
export async function keptAttestations(
  db: Kysely<Schema>,
  project: ProjectId,
  { acceptedBy, after, limit, now }: { acceptedBy: number; after: number; limit: number; now: number },
): Promise<KeptAttestation[]> {
  const page = await db
    .selectFrom("attestations")
    .select(["id", "index", "verified_at as acceptedAt"])
    .where("project_id", "=", project)
    .where("index", ">", after)
    .where("verified_at", "<=", acceptedBy)
    .where(notExpired("attestations"))
    .orderBy("index")
    .limit(limit)
    .execute();
  return withUses(db, project, page, now);
}

/** One of them, whenever it was accepted. */
export async function keptAttestation(
  db: Kysely<Schema>,
  project: ProjectId,
  id: Digest,
  now: number,
): Promise<KeptAttestation | undefined> {
  const found = await db
    .selectFrom("attestations")
    .select(["id", "index", "verified_at as acceptedAt"])
    .where("project_id", "=", project)
    .where("id", "=", id)
    .where(notExpired("attestations"))
    .execute();
  return (await withUses(db, project, found, now))[0];
}

/** Those about an artifact. */
export async function keptAttestationsAbout(
  db: Kysely<Schema>,
  project: ProjectId,
  artifact: Digest,
  now: number,
): Promise<KeptAttestation[]> {
  const found = await db
    .selectFrom("attestation_subjects as subject")
    .innerJoin("attestations", (join) =>
      join
        .onRef("attestations.project_id", "=", "subject.project_id")
        .onRef("attestations.id", "=", "subject.attestation"),
    )
    .select(["attestations.id", "attestations.index", "attestations.verified_at as acceptedAt"])
    .where("subject.project_id", "=", project)
    .where("subject.digest", "=", artifact)
    .where(notExpired("attestations"))
    .orderBy("attestations.index")
    .execute();
  return withUses(db, project, found, now);
}

type Accepted = { readonly id: string; readonly index: number; readonly acceptedAt: number };
type UseRow = {
  readonly attestation: string;
  readonly artifact: Digest;
  readonly isSubject: boolean;
  readonly assigned: string | null;
  readonly since: number;
  readonly isHeld: boolean;
  readonly isLive: boolean;
};

/**
 * What each is kept for: what it is about, as long as that one's class says from its acceptance on; and what rests on that,
 * from when the newest evidence about that other artifact was accepted: what is needed to judge it goes last.
 */
async function withUses(
  db: Kysely<Schema>,
  project: ProjectId,
  accepted: readonly Accepted[],
  now: number,
): Promise<KeptAttestation[]> {
  const { rows } = await sql<UseRow>`
    select wanted.id as attestation, used.artifact, used."isSubject", assigned.class as assigned,
      greatest(used.since, wanted.accepted_at) as since,
      exists (
        select from holds where holds.project_id = ${project} and holds.artifact = used.artifact and ${isStanding}
      ) as "isHeld",
      exists (
        select from identities i
        where i.project_id = ${project} and i.digests @> array[used.artifact] and i.expires_at > ${now}
      ) as "isLive"
    from unnest(${accepted.map(({ id }) => id)}::text[], ${accepted.map(({ acceptedAt }) => acceptedAt)}::int8[])
      as wanted (id, accepted_at)
    cross join lateral (
      select subject.digest as artifact, null::int8 as since, true as "isSubject"
      from attestation_subjects subject
      where subject.project_id = ${project} and subject.attestation = wanted.id
      union all
      select rests.artifact, (
        select max(a.verified_at) from attestation_subjects s
        join attestations a on a.project_id = s.project_id and a.id = s.attestation
        where s.project_id = ${project} and s.digest = rests.artifact
      ), false
      from (
        select distinct g.artifact from attestation_subjects subject
        join verdict_grounds g on g.project_id = subject.project_id and g.ground = subject.digest
        where subject.project_id = ${project} and subject.attestation = wanted.id
      ) as rests
      limit ${MAX_USES}
    ) as used
    left join retention_classes assigned
      on assigned.project_id = ${project} and assigned.artifact = used.artifact`.execute(db);
  const byAttestation = Map.groupBy(rows, ({ attestation }) => attestation);
  return accepted.map(({ id, index, acceptedAt }) => {
    const uses = byAttestation.get(id) ?? [];
    return {
      id: id as Digest,
      index,
      acceptedAt,
      subjects: uses.filter(({ isSubject }) => isSubject).map(({ artifact }) => artifact),
      uses: uses.map(({ artifact, since, isHeld, isLive, assigned }) => ({
        artifact,
        since,
        isHeld,
        isLive,
        ...(assigned !== null && { assigned }),
      })),
    };
  });
}
