import type { Kysely, Selectable } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { QuarantinesTable, Schema } from "./schema.ts";
import { isUuid } from "./uuid.ts";

/** What is read of a row of `quarantines`, for `quarantineOf`. */
export const QUARANTINE_COLUMNS = ["id", "artifact", "reason", "opened_index", "lifted_index"] as const;

export interface Quarantine {
  readonly id: string;
  readonly artifact: Digest;
  readonly reason: string;
  readonly openedIndex: number;
  readonly liftedIndex?: number;
}

export async function openQuarantines(db: Kysely<Schema>, project: ProjectId): Promise<Quarantine[]> {
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
): Promise<Quarantine | undefined> {
  if (!isUuid(id)) return undefined;
  const row = await db
    .selectFrom("quarantines")
    .selectAll()
    .where("project_id", "=", project)
    .where("id", "=", id)
    .executeTakeFirst();
  return row === undefined ? undefined : quarantineOf(row);
}

export function quarantineOf(row: Selectable<Omit<QuarantinesTable, "project_id">>): Quarantine {
  return {
    id: row.id,
    artifact: row.artifact as Digest,
    reason: row.reason,
    openedIndex: row.opened_index,
    ...(row.lifted_index !== null && { liftedIndex: row.lifted_index }),
  };
}
