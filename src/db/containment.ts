import { type Kysely, sql } from "kysely";
import type { ProjectId } from "../custody/events.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { MAX_CONTAINERS } from "../policy/evaluation/containment.ts";
import type { Containment } from "../policy/question.ts";
import type { Schema } from "./schema.ts";

/** What a row says; how the one names the other, its bytes say. */
export type RecordedContainment = Omit<Containment, "isBlob">;

/**
 * The containers of each of these digests, as a part of a statement. Of one that many hold (a base image's layer) the
 * first by their digests: as many as an evaluation looks at.
 *
 * @param below counts only what was recorded below this log index
 */
export function containersOf(
  project: ProjectId,
  digests: readonly Digest[],
  below = Number.MAX_SAFE_INTEGER,
) {
  return sql<readonly RecordedContainment[]>`(
    select coalesce(json_agg(held), '[]')
    from unnest(${[...digests]}::text[]) as wanted (digest)
    cross join lateral (
      select container, contained from containment
      where project_id = ${project} and contained = wanted.digest and index < ${below}
      order by container limit ${MAX_CONTAINERS}
    ) as held
  )`;
}

/** The log index of the event that recorded the manifest of this digest. */
export async function findManifest(
  db: Kysely<Schema>,
  project: ProjectId,
  manifest: Digest,
): Promise<number | undefined> {
  const row = await db
    .selectFrom("containment")
    .select("index")
    .where("project_id", "=", project)
    .where("container", "=", manifest)
    .limit(1)
    .executeTakeFirst();
  return row?.index;
}
