import { Type } from "typebox";
import type { EventType } from "../../custody/events.ts";
import { VouchsafeError } from "../../errors.ts";
import { parseDigest } from "../../in-toto-attestation/digest.ts";
import type { Vouchsafe } from "../../services/context.ts";
import { createEventFeed, type EventNews } from "../../services/custody/event-feed.ts";
import { readProjectLog } from "../../services/custody/read-events.ts";
import { readAsOf } from "../../services/custody/state-as-of.ts";
import { requireVisible } from "../../services/custody/visible-events.ts";
import { eventJson } from "../../services/log/event-json.ts";
import { pageStart } from "../../services/page-start.ts";
import { accepts } from "../accept.ts";
import type { App } from "../app.ts";
import { callerOf } from "../authentication.ts";
import { answers } from "../openapi.ts";
import {
  AsOfText,
  closed,
  Digest,
  EVENT,
  Flag,
  LastEventId,
  LogSize,
  named,
  nullable,
  PAGE,
} from "../schemas.ts";
import { createEventStreams, EVENT_STREAM, type ServerSentEvent, startAfter } from "../server-sent-events.ts";
import { EventTypes } from "./custody-schemas.ts";

const DEFAULT_PAGE = 50;
const LIMITS = { readers: 512, readersEach: 16 };
const STREAMED: ReadonlySet<string> = new Set([EVENT_STREAM]);

export const Events = named(
  "EventPage",
  closed({
    project: Type.String({ description: "the opaque id that the project's entries in the log bear, a UUID" }),
    origin: Type.String(),
    treeSize: LogSize,
    checkpoint: Type.String({
      description: "of treeSize: the pages hold every event of the project below it",
    }),
    events: Type.Array(closed({ ...EVENT, inclusionProof: Type.Optional(Type.Array(Type.String())) })),
    next: nullable(Type.String()),
  }),
);

export function eventRoutes(app: App, v: Vouchsafe): void {
  const streams = createEventStreams(app, LIMITS, () => v.metrics.reader("events"));
  const feed = createEventFeed(v, streams.closing);

  app.get(
    "/events",
    {
      config: { costs: "watch", access: ["auditor", "operator", "issuer"] },
      schema: {
        summary: "The project's events in the order of the log, for those who follow it",
        description:
          "Who accepts text/event-stream is sent them as they come, and goes on after the log index in Last-Event-ID, or after `after`. Issuers name the types, of those that they may see.",
        headers: Type.Object({ "last-event-id": Type.Optional(LastEventId) }),
        querystring: closed({
          type: Type.Optional(EventTypes),
          digest: Type.Optional(Digest),
          asOf: Type.Optional(AsOfText),
          proofs: Type.Optional(Flag),
          ...PAGE,
        }),
        ...answers({
          200: {
            description: "A page of events, or all of them and then each that comes",
            content: {
              "application/json": { schema: Events },
              [EVENT_STREAM]: { schema: Type.String() },
            },
          },
        }),
      },
    },
    async (request, reply) => {
      const { type, digest, asOf, proofs, limit, after } = request.query;
      const caller = callerOf(request);
      const filter = {
        types: type === undefined ? undefined : ([type].flat() as EventType[]),
        about: digest === undefined ? undefined : parseDigest(digest),
      };
      reply.header("vary", "accept");
      if (accepts(request.headers.accept, STREAMED)) {
        if ((asOf ?? proofs ?? limit) !== undefined) {
          throw new VouchsafeError(
            "invalid-request",
            "asOf, proofs and limit are of pages: a stream has none",
          );
        }
        // Its URL is still the first one when a browser connects again.
        const from =
          startAfter(request.headers["last-event-id"]) || (after === undefined ? 0 : pageStart(after) + 1);
        return streams.send(request, reply, {
          reader: { name: caller.token, party: caller.project },
          events: async (signal) => eventsOf(await feed.follow(caller, from, filter, signal)),
          // Its roles may be others by now: those of a rule are.
          mayRead: async () => requireVisible(await app.authenticateAgain(request), filter.types),
        });
      }
      return readProjectLog(v, caller, {
        ...filter,
        ...(after !== undefined && { after }),
        ...(asOf !== undefined && { asOf: readAsOf(asOf) }),
        proofs: proofs === "true",
        limit: limit === undefined ? DEFAULT_PAGE : Number(limit),
      });
    },
  );
}

async function* eventsOf(news: AsyncGenerator<EventNews>): AsyncGenerator<ServerSentEvent> {
  for await (const one of news) {
    if (one.case === "current") yield { comment: `nothing more below ${one.asOf}`, id: one.asOf - 1 };
    else yield { id: one.event.index, event: one.event.type, data: eventJson(one.event) };
  }
}
