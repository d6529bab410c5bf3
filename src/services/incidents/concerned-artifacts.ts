import type { ProjectId } from "../../custody/events.ts";
import type { RevocationTarget } from "../../custody/revocation-target.ts";
import { artifactsConcerned } from "../../db/revocations.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import type { Vouchsafe } from "../context.ts";

/** Digests read at once: each page goes through all that the target names. */
const PAGE = 10_000;
/** Artifacts evaluated together. */
const BATCH = 64;

/** Batches of the artifacts that a revocation may concern, each once. */
export async function* batchesConcerned(
  v: Vouchsafe,
  project: ProjectId,
  target: RevocationTarget,
): AsyncGenerator<readonly Digest[]> {
  for (let after: Digest | undefined; ; ) {
    const page = await artifactsConcerned(v.database.kysely, project, target, { after, limit: PAGE });
    for (let i = 0; i < page.length; i += BATCH) yield page.slice(i, i + BATCH);
    if (page.length < PAGE) return;
    after = page.at(-1);
  }
}
