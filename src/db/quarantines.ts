import type { Kysely, Selectable } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { QuarantinesTable, Schema } from "./schema.ts";
import { isUuid } from "./uuid.ts";

export interface Quarantine {
  readonly id: string;
  readonly artifact: Digest;
  readonly reason: string;
  readonly openedIndex: number;
  readonly liftedIndex?: number;
}

export async function openQuarantines(
  db: Kysely<Schema>,
  project: ProjectId,
  artifact?: Digest,
): Promise<Quarantine[]> {
  let query = db
    .selectFrom("quarantines")
    .selectAll()
    .where("project_id", "=", project)
    .where("lifted_index", "is", null);
  if (artifact !== undefined) query = query.where("artifact", "=", artifact);
  return (await query.orderBy("opened_index").execute()).map(quarantineOf);
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
