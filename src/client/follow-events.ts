import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "./api-error.ts";
import type { LoggedEvent } from "./log-types.ts";
import { search } from "./paths.ts";
import { readServerSentEvents, type StreamMessage } from "./server-sent-events.ts";
import type { Transport } from "./transport.ts";

export interface EventsToFollow {
  /** Only events of these types. Issuers name those that they may see. */
  readonly types?: readonly string[];
  /** Only events about this digest. */
  readonly digest?: string;
  /** Events after this log index; absent: all. */
  readonly after?: number;
  readonly signal?: AbortSignal;
  /** Told when the stream was lost; it is then asked for again, for as long as it takes. */
  readonly onLost?: (error: ApiError) => void;
}

/** Milliseconds before the first further try; doubled each time that nothing was heard, up to the longest. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
/** What may pass: the server, or the way to it. Everything else is an answer. */
const PASSING: ReadonlySet<string> = new Set([
  "unreachable",
  "unavailable",
  "rate-limited",
  "stale",
  "internal",
]);

/**
 * Follows the project's events, each once and in the order of the log, by way of any node, whatever breaks off meanwhile.
 *
 * @throws ApiError for what does not pass, e.g. `unauthenticated` once the credential has ended, and `conflict` where the log was set back
 */
export async function* followEvents(
  transport: Transport,
  { types = [], digest, after, signal, onLost = () => {} }: EventsToFollow,
): AsyncGenerator<LoggedEvent, void> {
  let last = after;
  let wait = FIRST_WAIT;
  while (!signal?.aborted) {
    try {
      for await (const message of connect()) {
        if (message.case === "retry") {
          wait = message.retry;
          continue;
        }
        wait = FIRST_WAIT;
        if (message.case === "event") yield readEvent(message.data);
        // Only once it was taken: who stops in between is told again.
        last = indexIn(message.lastEventId) ?? last;
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (!(error instanceof ApiError) || !PASSING.has(error.code)) throw error;
      onLost(error);
    }
    await sleep(Math.min(wait, LONGEST_WAIT), undefined, signal && { signal }).catch(() => {});
    wait *= 2;
  }

  async function* connect(): AsyncGenerator<StreamMessage> {
    const { body = [] } = await transport({
      method: "GET",
      path: `/events${search({ type: types, digest, after: last })}`,
      accept: "text/event-stream",
      repeatable: true,
      streamed: true,
      ...(signal && { signal }),
    });
    yield* readServerSentEvents(body);
  }
}

function readEvent(data: string): LoggedEvent {
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw new ApiError("unexpected-answer", "The server sent an event that is not JSON", { cause });
  }
}

function indexIn(lastEventId: string): number | undefined {
  return /^(0|[1-9][0-9]{0,14})$/.test(lastEventId) ? Number(lastEventId) : undefined;
}
