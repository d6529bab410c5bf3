import type { Kysely } from "kysely";
import type { ChainKey, EventType, LogEvent, ProjectId } from "../custody/events.ts";
import { EVENT_COLUMNS, eventOf, numbersOf, readChain } from "./log.ts";
import type { Schema } from "./schema.ts";

/** Which of a project's events are meant. */
export interface EventFilter {
  /** Only events of these types. */
  readonly types?: readonly EventType[] | undefined;
  /** Only events of this chain. */
  readonly about?: ChainKey | undefined;
}

export interface EventRange {
  readonly from: number;
  readonly below: number;
  readonly limit: number;
}

/** A part of a project's events. */
export interface EventsFound {
  readonly events: readonly LogEvent[];
  /** The log size up to which these are all. */
  readonly upTo: number;
}

/** Entries that one statement looks through: what it costs is bounded, whatever is known or not of the table. */
const WINDOW = 1024;
/** And how many of them one call looks through: in a log that others fill, a quiet project's events are far apart. */
const MAX_WINDOWS = 64;

/** Events of a project in the order of the log, also those that join no chain: so many, or as far as one call looks. */
export async function readProjectEvents(
  db: Kysely<Schema>,
  project: ProjectId,
  range: EventRange,
  { types, about }: EventFilter = {},
): Promise<EventsFound> {
  const { from, below, limit } = range;
  if (about !== undefined) {
    const events = await readChain(db, project, about, { ...range, ...(types && { types }) });
    return { events, upTo: upTo(events, limit, below) };
  }
  const end = Math.min(below, from + MAX_WINDOWS * WINDOW);
  const found: LogEvent[] = [];
  for (let at = from; at < end && found.length < limit; at += WINDOW) {
    let query = db
      .selectFrom("log_entries as entry")
      .select(EVENT_COLUMNS)
      .where("entry.project_id", "=", project)
      .where("entry.index", ">=", at)
      .where("entry.index", "<", Math.min(at + WINDOW, end));
    if (types !== undefined) query = query.where("entry.type", "in", numbersOf(types));
    const rows = await query
      .orderBy("entry.index")
      .limit(limit - found.length)
      .execute();
    found.push(...rows.map(eventOf));
  }
  return { events: found, upTo: upTo(found, limit, end) };
}

function upTo(events: readonly LogEvent[], limit: number, end: number): number {
  return events.length < limit ? end : (events.at(-1)?.index ?? end - 1) + 1;
}

/** The projects that events in [from, below) are of. */
export async function projectsOf(
  db: Kysely<Schema>,
  from: number,
  below: number,
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom("log_entries")
    .select("project_id")
    .distinct()
    .where("index", ">=", from)
    .where("index", "<", below)
    .execute();
  return new Set(rows.map(({ project_id }) => project_id));
}
