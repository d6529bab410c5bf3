import { once } from "node:events";
import { PassThrough } from "node:stream";
import { Type } from "typebox";
import { VouchsafeError } from "../errors.ts";
import type { Vouchsafe } from "../services/context.ts";
import { createRevocationFeed, type RevocationNews } from "../services/revocation-feed.ts";
import type { App } from "./app.ts";
import { answers, textOf } from "./openapi.ts";
import { LastEventId } from "./schemas.ts";

/** Readers of one node. */
const MAX_READERS = 1_000;
/** How long a reader may take nothing of what is sent, in milliseconds. */
const PATIENCE = 30_000;

/**
 * Revocations for relying parties, as server-sent events (WHATWG HTML §9.2). Anybody may read them: serial numbers and `jti`s are random, and
 * say nothing of what was granted, why it was taken back, or to whom. The lists of certificates are as public.
 */
export function revocationStreamRoutes(app: App, v: Vouchsafe): void {
  const closing = new AbortController();
  app.addHook("preClose", async () => closing.abort());
  const feed = createRevocationFeed(v, closing.signal);
  let readers = 0;

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
            "text/event-stream",
            "Events `revoked` (data: {index, revoked}) with the log index as id, and `current` (data: {asOf})",
          ),
        }),
      },
    },
    async (request, reply) => {
      const from = startAfter(request.headers["last-event-id"]);
      if (readers >= MAX_READERS) {
        throw new VouchsafeError(
          "unavailable",
          `This node tells ${MAX_READERS} readers already; ask another`,
        );
      }
      readers += 1;
      const gone = new AbortController();
      reply.raw.once("close", () => gone.abort());
      const lines = new PassThrough();
      void tell(feed.follow(from, gone.signal), lines)
        .catch((error: unknown) => request.log.warn({ err: error }, "a stream of revocations ended"))
        .finally(() => {
          readers -= 1;
          lines.end();
        });
      reply.header("cache-control", "no-store").header("x-accel-buffering", "no");
      return reply.type("text/event-stream").send(lines);
    },
  );
}

/** What one reader has not taken is not added to: it is waited for, and then cut off. */
async function tell(news: AsyncGenerator<RevocationNews>, lines: PassThrough): Promise<void> {
  for await (const one of news) {
    if (lines.destroyed) return;
    if (lines.write(eventOf(one))) continue;
    try {
      await once(lines, "drain", { signal: AbortSignal.timeout(PATIENCE) });
    } catch {
      lines.destroy();
      return;
    }
  }
}

function eventOf(news: RevocationNews): string {
  if (news.case === "current") return `event: current\ndata: ${JSON.stringify({ asOf: news.asOf })}\n\n`;
  const revoked = news.revoked.map((one) => ({ ...one, expiresAt: new Date(one.expiresAt).toISOString() }));
  const data = JSON.stringify({ index: news.index, revoked });
  return `id: ${news.index}\nevent: revoked\ndata: ${data}\n\n`;
}

/** The log index to go on from. */
function startAfter(lastEventId: string | undefined): number {
  return lastEventId === undefined || lastEventId === "" ? 0 : Number(lastEventId) + 1;
}
