import { EVENT_TYPES, type EventType, type ProjectId, RECORDS } from "../../custody/events.ts";
import type { CustodySummary } from "../../custody/summary/custody-summary.ts";
import { createCustodySummarizer } from "../../custody/summary/summarize.ts";
import {
  type CustodyPlaces,
  readCustodyIndexes,
  readLastActivations,
  readNewestFrom,
} from "../../db/custody-chain.ts";
import { readEvents } from "../../db/log.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import type { Vouchsafe } from "../context.ts";
import { createGivingWay } from "../give-way.ts";

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
/** Of an artifact's newest events, so many are looked at for grants: a fleet is granted a hundred thousand in a day. */
const NEWEST = 10_000;

const DECISIVE = (Object.keys(EVENT_TYPES) as EventType[]).filter((type) => !RECORDS.includes(type));

export async function summarizeCustody(v: Vouchsafe, custody: CustodyAsOf): Promise<CustodySummary> {
  const { project, artifact, related, size, now } = custody;
  const db = v.database.kysely;
  const summarizer = createCustodySummarizer(artifact, related);
  const giveWay = createGivingWay();

  async function add(indexes: readonly number[], wanted: readonly EventType[]): Promise<void> {
    for (const event of await readEvents(db, project, indexes)) {
      if (wanted.includes(event.type)) summarizer.add(event);
      await giveWay();
    }
  }
  async function addAll(
    wanted: readonly EventType[],
    range: Pick<CustodyPlaces, "related" | "types" | "after">,
  ): Promise<void> {
    for (let after: number | undefined = range.after; after !== undefined; ) {
      const page = { ...range, artifact, after, below: size, limit: BATCH };
      const indexes: number[] = await readCustodyIndexes(db, project, page);
      await add(indexes, wanted);
      after = indexes.length < BATCH ? undefined : indexes.at(-1);
    }
  }

  await addAll(DECISIVE, { related, types: DECISIVE, after: -1 });
  // What is in force as of the end need not have touched the artifact; to tell one again changes nothing.
  await add(await readLastActivations(db, project, size), DECISIVE);
  const since = await readNewestFrom(db, project, { artifact, below: size }, NEWEST);
  // Most of a long chain are grants: to have the others sorted out by the database costs more than to read them.
  await addAll(RECORDS, { related: undefined, types: undefined, after: (since ?? 0) - 1 });
  return summarizer.read(now, since);
}
