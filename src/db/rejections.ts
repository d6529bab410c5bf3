import type { Kysely } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { Schema } from "./schema.ts";

/** How many uploads of the caller's were refused and logged from `since` (milliseconds) on. */
export async function rejectionsBy(
  db: Kysely<Schema>,
  project: ProjectId,
  caller: string,
  since: number,
): Promise<number> {
  const { count } = await db
    .selectFrom("rejections")
    .select((select) => select.fn.countAll<number>().as("count"))
    .where("project_id", "=", project)
    .where("caller", "=", caller)
    .where("time", ">=", since)
    .executeTakeFirstOrThrow();
  return count;
}

/** The index of the event that recorded this very rejection before, if there is one. */
export async function findRejection(
  db: Kysely<Schema>,
  project: ProjectId,
  { digest, code, trust }: { digest: Digest; code: string; trust: string },
): Promise<number | undefined> {
  const row = await db
    .selectFrom("rejections")
    .select("index")
    .where("project_id", "=", project)
    .where("digest", "=", digest)
    .where("code", "=", code)
    .where("trust_hash", "=", trust)
    .executeTakeFirst();
  return row?.index;
}
