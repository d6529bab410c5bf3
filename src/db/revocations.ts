import { type Kysely, type Selectable, sql } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { RevocationTarget } from "../custody/revocation-target.ts";
import type { Revocation } from "../custody/revocations.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { RevocationsTable } from "./schema/standing.ts";
import type { Schema } from "./schema.ts";
import { isUuid } from "./uuid.ts";

/** What is read of a row of `revocations`, for `revocationOf`. */
export const REVOCATION_COLUMNS = ["id", "target", "reason", "revoked_index", "withdrawn_index"] as const;

export interface RevocationRecord extends Revocation {
  readonly revokedIndex: number;
  readonly withdrawnIndex?: number;
}

/** Those that nobody withdrew, oldest first. */
export async function standingRevocations(
  db: Kysely<Schema>,
  project: ProjectId,
): Promise<RevocationRecord[]> {
  const rows = await db
    .selectFrom("revocations")
    .select(REVOCATION_COLUMNS)
    .where("project_id", "=", project)
    .where("withdrawn_index", "is", null)
    .orderBy("revoked_index")
    .execute();
  return rows.map(revocationOf);
}

export async function findRevocation(
  db: Kysely<Schema>,
  project: ProjectId,
  id: string,
): Promise<RevocationRecord | undefined> {
  if (!isUuid(id)) return undefined;
  const row = await db
    .selectFrom("revocations")
    .select(REVOCATION_COLUMNS)
    .where("project_id", "=", project)
    .where("id", "=", id)
    .executeTakeFirst();
  return row === undefined ? undefined : revocationOf(row);
}

/** The log size after the last event that revoked evidence or took that back; 0 before the first. Verdicts of smaller sizes do not know it. */
export function revocationsAsOf(project: ProjectId) {
  return sql<number>`(
    select coalesce(max(greatest(revoked_index, withdrawn_index)) + 1, 0) from revocations
    where project_id = ${project}
  )`;
}

export async function readRevocationsAsOf(db: Kysely<Schema>, project: ProjectId): Promise<number> {
  const { size } = await db.selectNoFrom(revocationsAsOf(project).as("size")).executeTakeFirstOrThrow();
  return size;
}

/**
 * The artifacts that a revocation may concern, in the order of their digests: what the evidence is about that its columns
 * name, and what verdicts judged by it. The first `limit` after `after`. More than it does concern, for rows know no windows.
 */
export async function artifactsConcerned(
  db: Kysely<Schema>,
  project: ProjectId,
  target: RevocationTarget,
  { after, limit }: { readonly after: Digest | undefined; readonly limit: number },
): Promise<Digest[]> {
  // Not materialized: kept apart, the planner takes it for a few rows, and goes through all of them for each verdict.
  const { rows } = await sql<{ digest: Digest }>`
    with about as not materialized (
      select subject.digest from attestations as attestation
      join attestation_subjects as subject
        on subject.project_id = ${project} and subject.attestation = attestation.id
      where attestation.project_id = ${project} and ${named(project, target)}
      union select ${"artifact" in target ? target.artifact : null}::text
    )
    select digest from (
      select digest from about
      union select verdict.artifact from verdicts as verdict
      cross join unnest(verdict.rests_on) as beneath (digest)
      join about on about.digest = beneath.digest
      where verdict.project_id = ${project}
    ) as concerned
    where digest > ${after ?? ""} order by digest limit ${limit}`.execute(db);
  return rows.map(({ digest }) => digest);
}

function named(project: ProjectId, target: RevocationTarget) {
  if ("attestation" in target) return sql`attestation.id = ${target.attestation}`;
  if ("builder" in target) return sql`attestation.builder = ${target.builder}`;
  if ("repository" in target) return sql`attestation.source_repository = ${target.repository}`;
  if ("artifact" in target)
    return sql`attestation.id in (
      select attestation from attestation_subjects where project_id = ${project} and digest = ${target.artifact}
    )`;
  const { signer } = target;
  return "key" in signer
    ? sql`attestation.signer_issuer is null
        and (attestation.signer_identity = ${signer.key} or attestation.signer ->> 'keyId' = ${signer.keyId ?? null}::text)`
    : sql`attestation.signer_issuer = ${signer.issuer} and attestation.signer_identity = ${signer.identity}`;
}

export function revocationOf(row: Selectable<Omit<RevocationsTable, "project_id">>): RevocationRecord {
  return {
    id: row.id,
    target: row.target,
    reason: row.reason,
    revokedIndex: row.revoked_index,
    ...(row.withdrawn_index !== null && { withdrawnIndex: row.withdrawn_index }),
  };
}
