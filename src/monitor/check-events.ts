import type { LogEvent } from "../custody/events.ts";
import { decodeLeaf, type Leaf } from "../custody/leaf.ts";
import { type OpenedEvent, openEvent } from "../custody/open-event.ts";
import { VouchsafeError } from "../errors.ts";
import { sameHash } from "../tlog/hash.ts";
import type { Alarm } from "./alarm.ts";
import type { EventPage } from "./event-page.ts";

/** An entry that is proved to be in the log. */
export interface Entry {
  readonly index: number;
  readonly bytes: Uint8Array;
  /** Undefined where it is of no form that we know. */
  readonly leaf: Leaf | undefined;
}

export function readEntry(index: number, bytes: Uint8Array): Entry {
  try {
    return { index, bytes, leaf: decodeLeaf(bytes) };
  } catch (error) {
    if (error instanceof VouchsafeError) return { index, bytes, leaf: undefined };
    throw error;
  }
}

/**
 * What the auditor is told of the entries `first` to `last`. Throws `invalid-request` for pages of another project, and
 * for such as do not go on.
 */
export async function readTold(
  readEvents: (after: number | undefined) => Promise<EventPage>,
  project: string,
  { first, last }: { readonly first: number; readonly last: number },
): Promise<OpenedEvent[]> {
  const told: OpenedEvent[] = [];
  for (let after = first - 1; ; ) {
    const { events, next, ...page } = await readEvents(after < 0 ? undefined : after);
    if (page.project !== project)
      throw new VouchsafeError(
        "invalid-request",
        `The token is of the project ${page.project}, not ${project}`,
      );
    for (const event of events) {
      if (event.index <= after) throw new VouchsafeError("invalid-request", "The server's pages go back");
      after = event.index;
      if (after > last) return told;
      told.push(event);
    }
    if (next === null || after >= last) return told;
    // One without events would be asked for again for ever, and nothing would be said of it.
    if (next !== String(after) || events.length === 0)
      throw new VouchsafeError("invalid-request", "The server's pages have a gap");
  }
}

/**
 * Holds what the auditor is told to the log: each event opens its entry, and none is left out. Which entries are the
 * project's, their leaves say, and the log has signed them.
 */
export function checkEvents(
  entries: readonly Entry[],
  told: readonly OpenedEvent[],
  project: string,
): { readonly events: readonly LogEvent[]; readonly alarms: readonly Alarm[] } {
  const byIndex = new Map(told.map((event) => [event.index, event]));
  const events: LogEvent[] = [];
  const alarms: Alarm[] = [];
  for (const { index, bytes, leaf } of entries) {
    const event = byIndex.get(index);
    const isOwn = leaf?.project === project;
    if (event === undefined) {
      if (isOwn) alarms.push(omitted(index, leaf));
      continue;
    }
    try {
      if (!isOwn) throw new VouchsafeError("malformed-leaf", "it is not the project's");
      if (!sameHash(event.leaf, bytes)) throw new VouchsafeError("malformed-leaf", "its leaf is another");
      events.push(openEvent(event));
    } catch (error) {
      if (!(error instanceof VouchsafeError)) throw error;
      const message = `Entry ${index} is told otherwise than the log has it: ${error.message.replace(/\.$/, "")}.`;
      alarms.push({ alarm: "event-altered", index, message });
    }
  }
  return { events, alarms };
}

function omitted(index: number, { type, time }: Leaf): Alarm {
  const when = new Date(time).toISOString();
  return {
    alarm: "event-omitted",
    index,
    message: `Entry ${index} (${type}, ${when}) is the project's, and is kept from the auditor.`,
  };
}
