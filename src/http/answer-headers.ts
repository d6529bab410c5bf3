import type { FastifyInstance } from "fastify";

/**
 * On every answer, refusals too. Nothing that is served here is a page: a browser that shows it all the same
 * loads, runs and frames nothing, guesses no type and shares it with no other site. Decisions, tokens and custody
 * are no cache's to keep; a route that knows better says so. Strict-Transport-Security is for whoever ends TLS.
 *
 * A constant because it is on the path of every decision: @fastify/helmet makes these headers anew for each
 * answer, and that takes longer than to decide.
 */
const ANSWER_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none';frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

export function sendAnswerHeaders(app: FastifyInstance): void {
  app.addHook("onRequest", (_request, reply, done) => {
    reply.headers(ANSWER_HEADERS);
    done();
  });
}
