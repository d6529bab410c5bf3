import { type Kysely, sql } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { containersOf } from "./containment.ts";
import type { EvidenceInputs, StoredAttestation } from "./decision-inputs.ts";
import { notExpired } from "./retention.ts";
import type { Schema } from "./schema.ts";

// Evidence as of a log size, in the order of the log: what is about one release was stored together, and is read
// together. What has expired since is left out.

/** Of the log's indexes those from `from` on and below `below`. */
export interface IndexRange {
  readonly from: number;
  readonly below: number;
}

export async function countAttestations(
  db: Kysely<Schema>,
  project: ProjectId,
  { from, below }: IndexRange,
): Promise<number> {
  const { count } = await db
    .selectFrom("attestations")
    .select((row) => row.fn.countAll<number>().as("count"))
    .where("project_id", "=", project)
    .where("index", ">=", from)
    .where("index", "<", below)
    .where(notExpired("attestations"))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** The first attestations that were accepted in the range. */
export async function attestationsFrom(
  db: Kysely<Schema>,
  project: ProjectId,
  { from, below }: IndexRange,
  limit: number,
): Promise<{ readonly id: Digest; readonly index: number }[]> {
  const rows = await db
    .selectFrom("attestations")
    .select(["id", "index"])
    .where("project_id", "=", project)
    .where("index", ">=", from)
    .where("index", "<", below)
    .where(notExpired("attestations"))
    .orderBy("index")
    .limit(limit)
    .execute();
  return rows.map(({ id, index }) => ({ id: id as Digest, index }));
}

// The joins below go from the ids that are asked for to their rows, whatever the planner thinks of the tables: after
// many uploads and before their statistics it would go through all of them for each page.

/** What the attestations are about, each artifact once, in the order of the attestations. */
export async function artifactsNamedBy(
  db: Kysely<Schema>,
  project: ProjectId,
  attestations: readonly Digest[],
): Promise<Digest[]> {
  const { rows } = await sql<{ digest: Digest }>`
    select subject.digest
    from unnest(${[...attestations]}::text[]) with ordinality as wanted (id, place)
    cross join lateral (
      select digest from attestation_subjects
      where project_id = ${project} and attestation = wanted.id offset 0
    ) as subject
    order by wanted.place, subject.digest`.execute(db);
  return [...new Set(rows.map(({ digest }) => digest))];
}

export interface IndexedAttestation extends StoredAttestation {
  readonly index: number;
}

export interface EvidenceBelow extends EvidenceInputs {
  /** In the order of the log. */
  readonly attestations: ReadonlyMap<Digest, readonly IndexedAttestation[]>;
}

/** What evidence there was about artifacts when the log had `below` entries. */
export async function readEvidenceBelow(
  db: Kysely<Schema>,
  project: ProjectId,
  artifacts: readonly Digest[],
  below: number,
): Promise<EvidenceBelow> {
  const { rows } = await sql<IndexedAttestation & { readonly artifact: Digest }>`
    select wanted.digest as artifact, subject.id, about.*
    from unnest(${[...artifacts]}::text[]) as wanted (digest)
    cross join lateral (
      select attestation as id from attestation_subjects
      where project_id = ${project} and digest = wanted.digest offset 0
    ) as subject
    cross join lateral (
      select attestation.index, attestation.verified_at as "verifiedAt", octet_length(evidence.bytes) as size
      from attestations as attestation, evidence
      where attestation.project_id = ${project} and attestation.id = subject.id
        and evidence.project_id = ${project} and evidence.id = subject.id and evidence.bytes is not null offset 0
    ) as about
    where about.index < ${below}
    order by about.index`.execute(db);
  const { manifests } = await db
    .selectNoFrom(containersOf(project, artifacts, below).as("manifests"))
    .executeTakeFirstOrThrow();
  const attestations = new Map<Digest, IndexedAttestation[]>(artifacts.map((digest) => [digest, []]));
  for (const { artifact, ...stored } of rows) attestations.get(artifact)?.push(stored);
  return { attestations, manifests };
}

/** Evidence, and the body of the event by which it was accepted. */
export interface RecordedText {
  readonly id: Digest;
  readonly evidence: string;
  readonly body: string;
}

/**
 * Both are JSON, so that they are UTF-8 without a NUL: as texts they come in half of the bytes that they would as `bytea`,
 * and the garbage collector has less to do. What is not stored is left out.
 */
export async function readRecordedText(
  db: Kysely<Schema>,
  project: ProjectId,
  ids: readonly Digest[],
): Promise<RecordedText[]> {
  const { rows } = await sql<RecordedText>`
    select wanted.id, recorded.*
    from unnest(${[...ids]}::text[]) as wanted (id)
    cross join lateral (
      select convert_from(evidence.bytes, 'UTF8') as evidence, convert_from(entry.body, 'UTF8') as body
      from evidence, log_entries as entry
      where evidence.project_id = ${project} and evidence.id = wanted.id and evidence.bytes is not null
        and entry.index = evidence.index offset 0
    ) as recorded`.execute(db);
  return rows;
}
