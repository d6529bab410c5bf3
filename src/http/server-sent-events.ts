import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { VouchsafeError } from "../errors.ts";
import { createFairShares } from "../fair-shares.ts";
import type { App } from "./app.ts";
import { whenGone } from "./when-gone.ts";

export const EVENT_STREAM = "text/event-stream";

/** Server-sent events (WHATWG HTML §9.2). */
export interface ServerSentEvent {
  /** The log index that a reader goes on after who connects again; without `data` it moves on and nothing is dispatched. */
  readonly id?: number;
  readonly event?: string;
  readonly data?: object;
  /** Of one line. Says that the stream lives. */
  readonly comment?: string;
}

export interface StreamLimits {
  /** Of one node, of one party while no other has any: parties share a node fairly. */
  readonly readers: number;
  /** Readers that count together: of one caller, of one address. */
  readonly readersEach: number;
  /** How long a reader may take nothing of what is sent, in milliseconds. */
  readonly patience?: number;
  /** How often it is asked whether a reader may read on, in milliseconds. */
  readonly recheck?: number;
}

export interface Reader {
  readonly name: string;
  /** Whom readers share the node with others by: their project. Two parties may have readers of one name. */
  readonly party: string;
}

export interface StreamOf {
  /** Whose readers count together. */
  readonly reader: Reader;
  /** What is sent. It ends soon after the signal. What fails before the first is answered as a problem. */
  readonly events: (
    signal: AbortSignal,
  ) => AsyncGenerator<ServerSentEvent> | Promise<AsyncGenerator<ServerSentEvent>>;
  /** Throws as soon as the reader may read no longer. */
  readonly mayRead?: () => Promise<unknown>;
}

export interface EventStreams {
  /** Ends what all readers wait for, because the server closes. */
  readonly closing: AbortSignal;
  /** Throws `unavailable`, `rate-limited`, and what `events` throws. */
  send(request: FastifyRequest, reply: FastifyReply, stream: StreamOf): Promise<FastifyReply>;
}

const PATIENCE = 30_000;
const RECHECK = 2_000;
/** Seconds after which a reader who was refused may find a place. */
const RETRY_AFTER = 15;
const RETRY = { from: 500, spread: 2_000 };

/** Told of each reader that comes. Gives what is told when it leaves. */
export type Arrives = () => () => void;

/** The streams of one route: readers are counted, waited for as long as is fair, and told when the server closes. */
export function createEventStreams(
  app: App,
  limits: StreamLimits,
  arrives: Arrives = () => () => {},
): EventStreams {
  const { patience = PATIENCE, recheck = RECHECK } = limits;
  const closing = new AbortController();
  app.addHook("preClose", async () => closing.abort());
  const places = createPlaces(limits);

  return {
    closing: closing.signal,
    async send(request, reply, { reader, events, mayRead }) {
      const free = places.take(reader);
      const left = arrives();
      const over = new AbortController();
      // Also when there was never a stream: a place is given back with the connection's answer, whatever it was.
      whenGone(reply, () => {
        over.abort();
        free();
        left();
      });
      const signal = AbortSignal.any([closing.signal, over.signal]);
      const told = await events(signal);
      const lines = new PassThrough();
      // Who left meanwhile is told of by no further signal.
      if (mayRead && !signal.aborted) {
        const checking = setInterval(() => mayRead().catch(() => over.abort()), recheck);
        signal.addEventListener("abort", () => clearInterval(checking), { once: true });
      }
      void tell(told, lines, patience, signal)
        .catch((error: unknown) => {
          request.log.warn({ err: error, route: request.routeOptions.url }, "an event stream ended");
        })
        .finally(() => lines.end(closing.signal.aborted ? comeBack() : ""));
      reply.header("cache-control", "no-store").header("x-accel-buffering", "no");
      return reply.type(EVENT_STREAM).send(lines);
    },
  };
}

/** What one reader has not taken is not added to: it is waited for, and then cut off. */
async function tell(
  events: AsyncGenerator<ServerSentEvent>,
  lines: PassThrough,
  patience: number,
  signal: AbortSignal,
): Promise<void> {
  for await (const event of events) {
    if (lines.destroyed) return;
    if (lines.write(eventText(event))) continue;
    try {
      await once(lines, "drain", { signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]) });
    } catch {
      lines.destroy();
      return;
    }
  }
}

/** When the readers of a server that closes are to look for another, in milliseconds: not all at once. */
function comeBack(): string {
  return `retry: ${Math.round(RETRY.from + Math.random() * RETRY.spread)}\n\n`;
}

function eventText({ id, event, data, comment }: ServerSentEvent): string {
  const fields = [
    comment !== undefined && `: ${comment}`,
    id !== undefined && `id: ${id}`,
    event !== undefined && `event: ${event}`,
    // JSON has no line break that is not escaped.
    data !== undefined && `data: ${JSON.stringify(data)}`,
  ];
  return `${fields.filter((field) => field !== false).join("\n")}\n\n`;
}

/** The log index to go on from, by the id of the last event that was heard. */
export function startAfter(lastEventId: string | undefined): number {
  return lastEventId === undefined || lastEventId === "" ? 0 : Number(lastEventId) + 1;
}

/** Counts readers. A place is given back once. */
function createPlaces({ readers, readersEach }: StreamLimits) {
  const shares = createFairShares({ alone: readers, each: readersEach });
  const extensions = { retryAfter: RETRY_AFTER };
  return {
    take({ name, party }: Reader): () => void {
      const place = shares.take(party, name);
      if (place === "holder-full")
        throw new VouchsafeError(
          "rate-limited",
          `You read ${readersEach} such streams of this node already`,
          {
            extensions,
          },
        );
      if (place === "full")
        throw new VouchsafeError("unavailable", "This node tells enough readers already; ask another", {
          extensions,
        });
      return place;
    },
  };
}
