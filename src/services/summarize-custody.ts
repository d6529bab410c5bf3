import type { CustodySummary } from "../custody/custody-summary.ts";
import { EVENT_TYPES, type EventType, type ProjectId, RECORDS } from "../custody/events.ts";
import { createCustodySummarizer } from "../custody/summarize-custody.ts";
import { readCustodyIndexes, readLastActivations, readNewestFrom } from "../db/custody-chain.ts";
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
/** Of an artifact's newest events, so many are looked at for grants: a fleet is granted a hundred thousand in a day. */
const NEWEST = 10_000;

const DECISIVE = (Object.keys(EVENT_TYPES) as EventType[]).filter((type) => !RECORDS.includes(type));

export async function summarizeCustody(v: Vouchsafe, custody: CustodyAsOf): Promise<CustodySummary> {
  const { project, artifact, related, size, now } = custody;
  const db = v.database.kysely;
  const summarizer = createCustodySummarizer(artifact, related);
  const giveWay = createGivingWay();

  async function add(indexes: readonly number[]): Promise<void> {
    for (const event of await readEvents(db, project, indexes)) {
      summarizer.add(event);
      await giveWay();
    }
  }
  async function addAll(types: readonly EventType[], beside: readonly Digest[] | undefined, from: number) {
    const range = { artifact, related: beside, below: size, types, limit: BATCH };
    for (let after: number | undefined = from - 1; after !== undefined; ) {
      const indexes: number[] = await readCustodyIndexes(db, project, { ...range, after });
      await add(indexes);
      after = indexes.length < BATCH ? undefined : indexes.at(-1);
    }
  }

  await addAll(DECISIVE, related, 0);
  // What is in force as of the end need not have touched the artifact; to tell one again changes nothing.
  await add(await readLastActivations(db, project, size));
  const since = await readNewestFrom(db, project, { artifact, below: size }, NEWEST);
  await addAll(RECORDS, undefined, since ?? 0);
  return summarizer.read(now, since);
}
