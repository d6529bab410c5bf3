import type { CustodySummary } from "../custody/custody-summary.ts";
import type { ProjectId } from "../custody/events.ts";
import { createCustodySummarizer } from "../custody/summarize-custody.ts";
import { readCustodyIndexes, readLastActivations } from "../db/custody-chain.ts";
import { readEvents } from "../db/log.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { Vouchsafe } from "./context.ts";
import { createGivingWay } from "./give-way.ts";

/** What is asked about, as of a log size and a time (in milliseconds since the epoch). */
export interface CustodyAsOf {
  readonly project: ProjectId;
  readonly artifact: Digest;
  /** The other artifacts that its verdicts rest on. */
  readonly related: readonly Digest[];
  readonly size: number;
  readonly now: number;
}

/** Events read at once: a chain of any length is summarized in the same memory. */
const BATCH = 256;

export async function summarizeCustody(v: Vouchsafe, custody: CustodyAsOf): Promise<CustodySummary> {
  const { project, artifact, related, size, now } = custody;
  const db = v.database.kysely;
  const summarizer = createCustodySummarizer(artifact, related);
  const giveWay = createGivingWay();
  const range = { artifact, related, below: size, types: undefined, limit: BATCH };
  for (let after: number | undefined = -1; after !== undefined; ) {
    const indexes: number[] = await readCustodyIndexes(db, project, { ...range, after });
    for (const event of await readEvents(db, project, indexes)) {
      summarizer.add(event);
      await giveWay();
    }
    after = indexes.length < BATCH ? undefined : indexes.at(-1);
  }
  // What is in force as of the end need not have touched the artifact; to tell one again changes nothing.
  for (const event of await readEvents(db, project, await readLastActivations(db, project, size)))
    summarizer.add(event);
  return summarizer.read(now);
}
