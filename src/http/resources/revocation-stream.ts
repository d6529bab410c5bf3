import { Type } from "typebox";
import { networkOf } from "../../ip-address.ts";
import type { Vouchsafe } from "../../services/context.ts";
import { createRevocationFeed, type RevocationNews } from "../../services/identities/revocation-feed.ts";
import type { App } from "../app.ts";
import { answers, textOf } from "../openapi.ts";
import { LastEventId } from "../schemas.ts";
import { createEventStreams, EVENT_STREAM, type ServerSentEvent, startAfter } from "../server-sent-events.ts";

/** Relying parties of one cluster often share an address, and addresses share the node: no stranger can take it all. */
const LIMITS = { readers: 1_000, readersEach: 200 };

/**
 * Revocations for relying parties, as server-sent events. Anybody may read them: serial numbers and `jti`s are random, and
 * say nothing of what was granted, why it was taken back, or to whom. The lists of certificates are as public.
 */
export function revocationStreamRoutes(app: App, v: Vouchsafe): void {
  const streams = createEventStreams(app, LIMITS, () => v.metrics.reader("revocations"));
  const feed = createRevocationFeed(v, streams.closing);

  app.get(
    "/revocations/stream",
    {
      config: { costs: "nothing", access: "public" },
      schema: {
        summary:
          "Server-sent events: the identities that are revoked and have not expired, then each that is. `Last-Event-ID` goes on after that log index",
        headers: Type.Object({ "last-event-id": Type.Optional(LastEventId) }),
        ...answers({
          200: textOf(
            EVENT_STREAM,
            "Events `revoked` (data: {index, revoked}) with the log index as id, and `current` (data: {asOf})",
          ),
        }),
      },
    },
    async (request, reply) => {
      const from = startAfter(request.headers["last-event-id"]);
      const network = networkOf(request.ip);
      return streams.send(request, reply, {
        reader: { name: network, party: network },
        events: (signal) => eventsOf(feed.follow(from, signal)),
      });
    },
  );
}

async function* eventsOf(news: AsyncGenerator<RevocationNews>): AsyncGenerator<ServerSentEvent> {
  for await (const one of news) {
    if (one.case === "current") yield { event: "current", data: { asOf: one.asOf } };
    else {
      const revoked = one.revoked.map((each) => ({
        ...each,
        expiresAt: new Date(each.expiresAt).toISOString(),
      }));
      yield { id: one.index, event: "revoked", data: { index: one.index, revoked } };
    }
  }
}
