import { tileReader } from "../../db/log.ts";
import { type EventFilter, readProjectEvents } from "../../db/project-events.ts";
import { encodeBase64 } from "../../tlog/base64.ts";
import { proveInclusions } from "../../tlog/proofs.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { eventJson } from "../log/event-json.ts";
import { pageStart } from "../page-start.ts";
import type { AsOf } from "./state-as-of.ts";
import { treeAsOf } from "./tree-as-of.ts";
import { requireVisible } from "./visible-events.ts";

export interface EventsQuery extends EventFilter {
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
 * the log's public entries sees when one is left out. A page may be empty and not the last: so far it was looked.
 *
 * @throws VouchsafeError `invalid-request`, `forbidden`, and as `treeAsOf`
 */
export async function readProjectLog(v: Vouchsafe, caller: Caller, query: EventsQuery) {
  const { types, about, asOf, proofs, limit, after } = query;
  const { project } = caller;
  requireVisible(caller, types);
  const db = v.database.kysely;
  const { size, checkpoint } = await treeAsOf(v, asOf);
  const from = after === undefined ? 0 : pageStart(after) + 1;
  const { events, upTo } = await readProjectEvents(
    db,
    project,
    { from, below: size, limit },
    { types, about },
  );
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
    next: upTo < size ? String(upTo - 1) : null,
  };
}
