import type { Client } from "../../client/client.ts";
import { type EventPage, MAX_PAGE_BYTES, parseEventPage } from "../../monitor/event-page.ts";
import { readServedLog, type ServedLog } from "../../tlog/served-log.ts";

const PAGE = 200;

/** A server's log, not believed in anything. */
export function servedBy({ readBytes }: Client): ServedLog {
  return readServedLog((path, maxBytes) => readBytes(`/log/${path}`, maxBytes));
}

/** The events that a server tells an auditor of, after an index. */
export async function eventsOf({ readBytes }: Client, after: number | undefined): Promise<EventPage> {
  const place = after === undefined ? "" : `&after=${after}`;
  return parseEventPage(await readBytes(`/events?limit=${PAGE}${place}`, MAX_PAGE_BYTES));
}
