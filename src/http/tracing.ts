import type { FastifyInstance } from "fastify";
import type { Tracing } from "../services/telemetry/tracing.ts";

/**
 * Each request to a route is a span, named after the route's template and with its attributes by OpenTelemetry's semantic
 * conventions for HTTP servers. The first of the hooks, so that authentication is a part of it.
 */
export function traceRequests(app: FastifyInstance, tracing: Tracing): void {
  app.addHook("onRequest", (request, reply, done) => {
    const { method, routeOptions, headers } = request;
    const route = routeOptions.url;
    const { traceparent } = headers;
    const span = tracing.request(
      route === undefined ? method : `${method} ${route}`,
      typeof traceparent === "string" ? traceparent : undefined,
      { "http.request.method": method, ...(route !== undefined && { "http.route": route }) },
    );
    reply.raw.once("close", () => {
      const status = reply.raw.statusCode;
      const isFailed = status >= 500;
      span.end(
        { "http.response.status_code": status, ...(isFailed && { "error.type": String(status) }) },
        isFailed,
      );
    });
    span.within(done);
  });
}
