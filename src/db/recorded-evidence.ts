import type { Kysely } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { Schema } from "./schema.ts";

// Evidence as of a log size, in the order of the log: what is about one release was stored together, and is read
// together.

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
    .orderBy("index")
    .limit(limit)
    .execute();
  return rows.map(({ id, index }) => ({ id: id as Digest, index }));
}

/** What the attestations are about, each artifact once, in the order of the attestations. */
export async function artifactsNamedBy(
  db: Kysely<Schema>,
  project: ProjectId,
  attestations: readonly Digest[],
): Promise<Digest[]> {
  const rows = await db
    .selectFrom("attestation_subjects")
    .select(["attestation", "digest"])
    .where("project_id", "=", project)
    .where((where) => where("attestation", "=", where.fn.any(where.val([...attestations]))))
    .orderBy("digest")
    .execute();
  const named = Map.groupBy(rows, ({ attestation }) => attestation);
  const digests = attestations.flatMap((id) => (named.get(id) ?? []).map(({ digest }) => digest as Digest));
  return [...new Set(digests)];
}

/** Evidence, and the body of the event by which it was accepted. */
export interface RecordedBytes {
  readonly id: Digest;
  readonly bytes: Uint8Array;
  readonly body: Uint8Array;
}

/** In no order; what is not stored is left out. */
export async function readRecordedBytes(
  db: Kysely<Schema>,
  project: ProjectId,
  ids: readonly Digest[],
): Promise<RecordedBytes[]> {
  const rows = await db
    .selectFrom("evidence")
    .innerJoin("log_entries as entry", "entry.index", "evidence.index")
    .select(["evidence.id", "evidence.bytes", "entry.body"])
    .where("evidence.project_id", "=", project)
    .where((where) => where("evidence.id", "=", where.fn.any(where.val([...ids]))))
    .execute();
  return rows.map((row) => ({ ...row, id: row.id as Digest }));
}
