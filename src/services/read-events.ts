import type { EventType } from "../custody/events.ts";
import { readProjectEvents, tileReader } from "../db/log.ts";
import { encodeBase64 } from "../tlog/base64.ts";
import { proveInclusions } from "../tlog/proofs.ts";
import type { Caller } from "./caller.ts";
import type { Vouchsafe } from "./context.ts";
import { eventJson } from "./event-json.ts";
import { pageStart } from "./page-start.ts";
import type { AsOf } from "./state-as-of.ts";
import { treeAsOf } from "./tree-as-of.ts";

export interface EventsQuery {
  /** Only events of these types. */
  readonly types?: readonly EventType[];
  readonly asOf?: AsOf | undefined;
  /** Each event with the proof that it is in the log. */
  readonly proofs: boolean;
  /** 1 to 200. */
  readonly limit: number;
  /** `next` of the page before, or any log index: events after it. */
  readonly after?: string;
}

/**
 * The project's events in the order of the log, a page of them: all that it has below `treeSize`, so that who follows
 * the log's public entries sees when one is left out.
 *
 * @throws VouchsafeError `invalid-request`, and as `treeAsOf`
 */
export async function readProjectLog(v: Vouchsafe, { project }: Caller, query: EventsQuery) {
  const { types, asOf, proofs, limit, after } = query;
  const db = v.database.kysely;
  const { size, checkpoint } = await treeAsOf(v, asOf);
  // One more than asked for tells whether there are more.
  const found = await readProjectEvents(db, project, {
    from: after === undefined ? 0 : pageStart(after) + 1,
    below: size,
    limit: limit + 1,
    ...(types !== undefined && { types }),
  });
  const events = found.slice(0, limit);
  const indexes = events.map(({ index }) => index);
  const paths = proofs ? await proveInclusions(tileReader(db), indexes, size) : [];
  return {
    project,
    origin: v.log.origin,
    treeSize: size,
    checkpoint,
    events: events.map((event, i) => ({
      ...eventJson(event),
      ...(paths[i] && { inclusionProof: paths[i].map(encodeBase64) }),
    })),
    next: found.length > limit ? String(indexes.at(-1)) : null,
  };
}
