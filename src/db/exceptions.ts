import type { Kysely, Selectable } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { Exception } from "../policy/exceptions.ts";
import type { ExceptionsTable } from "./schema/standing.ts";
import type { Schema } from "./schema.ts";
import { isUuid } from "./uuid.ts";

/** What is read of a row of `exceptions`, for `exceptionOf`. */
export const EXCEPTION_COLUMNS = [
  "id",
  "artifact",
  "policy",
  "owner",
  "reason",
  "expires_at",
  "granted_index",
  "withdrawn_index",
] as const;

export interface ExceptionRecord extends Exception {
  readonly artifact: Digest;
  readonly grantedIndex: number;
  readonly withdrawnIndex?: number;
}

/** Those that nobody withdrew and that last at this time, in the order in which they were given. */
export async function standingExceptions(
  db: Kysely<Schema>,
  project: ProjectId,
  now: number,
): Promise<ExceptionRecord[]> {
  const rows = await db
    .selectFrom("exceptions")
    .selectAll()
    .where("project_id", "=", project)
    .where("withdrawn_index", "is", null)
    .where("expires_at", ">", now)
    .orderBy("granted_index")
    .execute();
  return rows.map(exceptionOf);
}

export async function findException(
  db: Kysely<Schema>,
  project: ProjectId,
  id: string,
): Promise<ExceptionRecord | undefined> {
  if (!isUuid(id)) return undefined;
  const row = await db
    .selectFrom("exceptions")
    .selectAll()
    .where("project_id", "=", project)
    .where("id", "=", id)
    .executeTakeFirst();
  return row === undefined ? undefined : exceptionOf(row);
}

export function exceptionOf(row: Selectable<Omit<ExceptionsTable, "project_id">>): ExceptionRecord {
  return {
    id: row.id,
    artifact: row.artifact as Digest,
    policy: row.policy,
    owner: row.owner,
    reason: row.reason,
    expiresAt: row.expires_at,
    grantedIndex: row.granted_index,
    ...(row.withdrawn_index !== null && { withdrawnIndex: row.withdrawn_index }),
  };
}
