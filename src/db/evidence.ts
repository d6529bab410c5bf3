import type { Kysely, Selectable } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Document, Evidence } from "../custody/log-store.ts";
import type { ExpiredEvidence } from "../custody/pack.ts";
import { VouchsafeError } from "../errors.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { AttestationsTable, Schema } from "./schema.ts";

/** An attestation as it was accepted, without its bytes. */
export interface AttestationRecord {
  readonly id: Digest;
  readonly index: number;
  readonly mediaType: string;
  readonly predicateType?: string;
  /** As in the body of `evidence.accepted`. */
  readonly signer: Readonly<Record<string, string>>;
  readonly source: { readonly repository?: string; readonly ref?: string; readonly commit?: string };
  readonly builder?: string;
  /** Milliseconds since the epoch. */
  readonly verifiedAt: number;
}

export interface SubjectRecord {
  readonly digest: Digest;
  readonly name?: string;
}

export async function findEvidence(
  db: Kysely<Schema>,
  project: ProjectId,
  id: Digest,
): Promise<Evidence | Omit<ExpiredEvidence, "case"> | undefined> {
  const row = await db
    .selectFrom("evidence")
    .leftJoin("expirations", (join) =>
      join
        .onRef("expirations.project_id", "=", "evidence.project_id")
        .onRef("expirations.attestation", "=", "evidence.id"),
    )
    .select(["media_type as mediaType", "bytes", "expirations.index as expired"])
    .where("evidence.project_id", "=", project)
    .where("evidence.id", "=", id)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { mediaType, bytes, expired } = row;
  if (bytes !== null) return { id, mediaType, bytes };
  if (expired !== null) return { hash: id, mediaType, expired };
  throw new VouchsafeError("log-inconsistent", `The bytes of ${id} are gone, and no event says why`);
}

/** The bytes of stored evidence and when it was accepted, in no order; what is not stored, or not any more, is left out. */
export async function readEvidence(
  db: Kysely<Schema>,
  project: ProjectId,
  ids: readonly Digest[],
): Promise<{ readonly id: Digest; readonly bytes: Uint8Array; readonly verifiedAt: number }[]> {
  const rows = await db
    .selectFrom("evidence")
    .innerJoin("attestations", (join) =>
      join
        .onRef("attestations.project_id", "=", "evidence.project_id")
        .onRef("attestations.id", "=", "evidence.id"),
    )
    .select(["evidence.id", "evidence.bytes", "attestations.verified_at as verifiedAt"])
    .where("evidence.project_id", "=", project)
    .where((where) => where("evidence.id", "=", where.fn.any(where.val([...ids]))))
    .execute();
  return rows.flatMap(({ id, bytes, verifiedAt }) =>
    bytes === null ? [] : [{ id: id as Digest, bytes, verifiedAt }],
  );
}

export async function findAttestation(
  db: Kysely<Schema>,
  project: ProjectId,
  id: Digest,
): Promise<AttestationRecord | undefined> {
  const row = await db
    .selectFrom("attestations")
    .selectAll()
    .where("project_id", "=", project)
    .where("id", "=", id)
    .executeTakeFirst();
  return row === undefined ? undefined : attestationOf(row);
}

export async function subjectsOfAttestation(
  db: Kysely<Schema>,
  project: ProjectId,
  id: Digest,
): Promise<SubjectRecord[]> {
  const rows = await db
    .selectFrom("attestation_subjects")
    .select(["digest", "name"])
    .where("project_id", "=", project)
    .where("attestation", "=", id)
    .orderBy("digest")
    .execute();
  return rows.map(({ digest, name }) => ({ digest: digest as Digest, ...(name !== null && { name }) }));
}

export interface AttestationSearch {
  readonly repository?: string;
  readonly commit?: string;
  /** The certificate's identity, or the key's name. */
  readonly signer?: string;
  /** Only attestations logged before this index: the page after one that ended there. */
  readonly before?: number;
  readonly limit: number;
}

/** The attestations that meet every condition given, newest first, each with its subjects. */
export async function searchAttestations(
  db: Kysely<Schema>,
  project: ProjectId,
  search: AttestationSearch,
): Promise<(AttestationRecord & { readonly subjects: readonly SubjectRecord[] })[]> {
  let query = db.selectFrom("attestations").selectAll().where("project_id", "=", project);
  if (search.repository !== undefined) query = query.where("source_repository", "=", search.repository);
  if (search.commit !== undefined) query = query.where("source_commit", "=", search.commit);
  if (search.signer !== undefined) query = query.where("signer_identity", "=", search.signer);
  if (search.before !== undefined) query = query.where("index", "<", search.before);
  const found = (await query.orderBy("index", "desc").limit(search.limit).execute()).map(attestationOf);

  const subjects = new Map<string, SubjectRecord[]>(found.map(({ id }) => [id, []]));
  const rows =
    found.length === 0
      ? []
      : await db
          .selectFrom("attestation_subjects")
          .select(["attestation", "digest", "name"])
          .where("project_id", "=", project)
          .where((where) => where("attestation", "=", where.fn.any(where.val([...subjects.keys()]))))
          .orderBy("digest")
          .execute();
  for (const { attestation, digest, name } of rows) {
    subjects.get(attestation)?.push({ digest: digest as Digest, ...(name !== null && { name }) });
  }
  return found.map((attestation) => ({ ...attestation, subjects: subjects.get(attestation.id) ?? [] }));
}

/** Artifacts that any attestation is about, in the order of their digests, after `last`: a page to go on from. */
export async function artifactsAfter(
  db: Kysely<Schema>,
  project: ProjectId,
  last: Digest | undefined,
  limit: number,
): Promise<Digest[]> {
  let query = db
    .selectFrom("attestation_subjects")
    .select("digest")
    .distinct()
    .where("project_id", "=", project);
  if (last !== undefined) query = query.where("digest", ">", last);
  const rows = await query.orderBy("digest").limit(limit).execute();
  return rows.map(({ digest }) => digest as Digest);
}

export async function readDocument(
  db: Kysely<Schema>,
  project: ProjectId,
  hash: string,
): Promise<Document | undefined> {
  const row = await db
    .selectFrom("documents")
    .select(["hash", "kind", "bytes"])
    .where("project_id", "=", project)
    .where("hash", "=", hash)
    .executeTakeFirst();
  return row;
}

function attestationOf(row: Selectable<AttestationsTable>): AttestationRecord {
  return {
    id: row.id as Digest,
    index: row.index,
    mediaType: row.media_type,
    ...(row.predicate_type !== null && { predicateType: row.predicate_type }),
    signer: row.signer,
    source: {
      ...(row.source_repository !== null && { repository: row.source_repository }),
      ...(row.source_ref !== null && { ref: row.source_ref }),
      ...(row.source_commit !== null && { commit: row.source_commit }),
    },
    ...(row.builder !== null && { builder: row.builder }),
    verifiedAt: row.verified_at,
  };
}
