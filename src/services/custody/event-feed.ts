import { setTimeout as sleep } from "node:timers/promises";
import type { LogEvent, ProjectId } from "../../custody/events.ts";
import { readHead } from "../../db/log.ts";
import {
  type EventFilter,
  type EventsFound,
  projectsOf,
  readProjectEvents,
} from "../../db/project-events.ts";
import { VouchsafeError } from "../../errors.ts";
import { openGate } from "../../gate.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { grownBeyond } from "../log/log-growth.ts";
import { unlessGone } from "../log/unless-gone.ts";
import { requireVisible } from "./visible-events.ts";

/** What a reader is told. */
export type EventNews =
  | { readonly case: "event"; readonly event: LogEvent }
  /** Nothing that was asked for is left below this log size. */
  | { readonly case: "current"; readonly asOf: number };

/** Tells of a project's events as they are recorded, on whichever node. One look at the log serves all readers who know as much. */
export interface EventFeed {
  /**
   * What was asked for from this log index on, then what comes, and again and again that nothing did. Whoever reads slowly
   * is told later: no more than a page waits in memory.
   *
   * @throws VouchsafeError `forbidden`; `conflict` for an index that the log does not have: it was set back
   */
  follow(
    caller: Caller,
    from: number,
    filter: EventFilter,
    signal: AbortSignal,
  ): Promise<AsyncGenerator<EventNews>>;
}

/** How often readers are told that nothing came, in milliseconds: less than the idle timeout of usual proxies. */
const HEARTBEAT = 15_000;
/** However much is appended, it is looked no more often than this, in milliseconds. */
const PACE = 50;
/** Events read at once, for all who know as much and ask for the same. */
const PAGE = 32;
/** Reads under way: a thousand readers who come back at once leave the database to others. */
const MAX_READS = 4;

/** What has happened since a log size. */
interface Growth {
  readonly size: number;
  /** Those that have events among what was appended. */
  readonly projects: ReadonlySet<string>;
}

/** @param closing ends all that waits */
export function createEventFeed(v: Vouchsafe, closing: AbortSignal): EventFeed {
  const { kysely } = v.database;
  const inTurn = openGate({ atOnce: MAX_READS });
  const looks = shared<Growth>();
  const pages = shared<EventsFound>();

  /** Resolves when the log has grown beyond this size, or after a while. */
  async function look(from: number): Promise<Growth> {
    await grownBeyond(v, from, HEARTBEAT, closing);
    // What came at once is told together.
    await sleep(PACE);
    const { size } = v.projection;
    const projects = size > from ? await projectsOf(kysely, from, size) : new Set<string>();
    return { size, projects };
  }

  /** At the end of the log all readers of a project read the same, whatever they asked for. */
  function pageFor(
    project: ProjectId,
    from: number,
    below: number,
    asked: EventFilter,
  ): Promise<EventsFound> {
    const filter = below - from <= PAGE ? {} : asked;
    return pages(JSON.stringify([project, from, below, filter.types, filter.about]), () =>
      inTurn(() => readProjectEvents(kysely, project, { from, below, limit: PAGE }, filter)),
    );
  }

  async function* tell(
    project: ProjectId,
    from: number,
    filter: EventFilter,
    signal: AbortSignal,
  ): AsyncGenerator<EventNews> {
    let size = v.projection.size;
    for (let next = from; !signal.aborted && !closing.aborted; ) {
      while (next < size && !signal.aborted && !closing.aborted) {
        const { events, upTo } = await pageFor(project, next, size, filter);
        for (const event of events) if (isMeant(event, filter)) yield { case: "event", event };
        next = upTo;
      }
      const known = Math.max(next, size);
      yield { case: "current", asOf: known };
      const growth = await unlessGone(
        looks(`${known}`, () => look(known)),
        signal,
      );
      if (growth === undefined) return;
      size = growth.size;
      if (!growth.projects.has(project)) next = Math.max(next, size);
    }
  }

  return {
    async follow(caller, from, filter, signal) {
      requireVisible(caller, filter.types);
      const { size } = await readHead(kysely);
      if (from > size) {
        throw new VouchsafeError(
          "conflict",
          `The log has ${size} events, and none ${from - 1} to go on from: it was set back`,
        );
      }
      return tell(caller.project, from, filter, signal);
    },
  };
}

function isMeant({ type, about }: LogEvent, filter: EventFilter): boolean {
  return (
    (filter.types?.includes(type) ?? true) && (filter.about === undefined || about.includes(filter.about))
  );
}

/** What is under way by a name serves all who ask for it. */
function shared<T>(): (name: string, work: () => Promise<T>) => Promise<T> {
  const underWay = new Map<string, Promise<T>>();
  return (name, work) => {
    const known = underWay.get(name) ?? work().finally(() => underWay.delete(name));
    underWay.set(name, known);
    return known;
  };
}
