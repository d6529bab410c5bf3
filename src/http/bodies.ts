import type { FastifyInstance, FastifyRequest } from "fastify";
import { VouchsafeError } from "../errors.ts";
import { createFairShares } from "../fair-shares.ts";
import { parseJson } from "../in-toto-attestation/json.ts";
import { callerOf } from "./authentication.ts";
import { whenGone } from "./when-gone.ts";

export interface ByteLimits {
  /** The largest body. */
  readonly body: number;
  /** What the bodies of a project may hold in memory together while no other has any: they share a node fairly, and hold less than twice as much in all. */
  readonly underWay: number;
}

/**
 * Bodies are strict JSON (one meaning to every reader: no duplicate members, bounded nesting) and of no other
 * media type. Content codings are refused: a compressed body says nothing of the size that it unfolds to.
 */
export function takeStrictJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "application/json",
    { parseAs: "buffer" },
    async (request: FastifyRequest, body: Buffer) => {
      request.sentBody = body;
      return parseJson(body);
    },
  );
  app.addHook("onRequest", (request, _reply, done) => {
    const coding = request.headers["content-encoding"];
    if (coding === undefined || coding.toLowerCase() === "identity") done();
    else done(new VouchsafeError("unsupported-media-type", "Send the body without a Content-Encoding"));
  });
}

/**
 * In this scope bodies are bytes, kept exactly as they arrived, of these media types and no other. Each claims its
 * length (or the largest, where it does not say) from the moment it is let in until it is answered. Needs `guardRoutes`: the
 * caller is known before the body.
 */
export function takeBytes(app: FastifyInstance, mediaTypes: readonly string[], limits: ByteLimits): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    [...mediaTypes],
    { parseAs: "buffer", bodyLimit: limits.body },
    async (_request: FastifyRequest, body: Buffer) => body,
  );

  const shares = createFairShares({ alone: limits.underWay });
  app.addHook("onRequest", async (request, reply) => {
    const claim = Math.min(Number(request.headers["content-length"] ?? limits.body), limits.body);
    const giveBack = shares.take(callerOf(request).project, undefined, claim);
    if (typeof giveBack !== "function") {
      throw new VouchsafeError("unavailable", "Too many uploads are under way; send this one again shortly");
    }
    // Also when the client goes away before it is answered.
    whenGone(reply, giveBack);
  });
}
