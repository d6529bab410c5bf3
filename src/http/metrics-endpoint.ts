import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { closeInOrder } from "../close-server.ts";
import type { Vouchsafe } from "../services/context.ts";
import { exposeNode } from "../services/telemetry/node-metrics.ts";

export interface MetricsEndpoint {
  readonly port: number;
  close(): Promise<void>;
}

const PATH = "/metrics";

/**
 * Serves what the node counts to Prometheus: on a port of its own, which need not be reached from where callers are, and
 * so without a credential. Nothing in it names a digest, a project or a caller.
 */
export async function openMetricsEndpoint(
  v: Vouchsafe,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<MetricsEndpoint> {
  exposeNode(v);
  const server = createServer(
    { maxHeaderSize: 8 * 1024, requestTimeout: 10_000, headersTimeout: 10_000 },
    ({ method = "", url = "" }, response) => {
      const isFound = url.split("?", 1)[0] === PATH;
      if (isFound && (method === "GET" || method === "HEAD")) {
        answer(v, response).catch((cause: unknown) => {
          v.report("metrics could not be read", cause);
          response.destroy();
        });
      } else response.writeHead(isFound ? 405 : 404).end();
    },
  );
  server.maxConnections = 100;
  const close = closeInOrder(server);
  server.listen({ host, port });
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => close() };
}

async function answer({ metrics: { registry } }: Vouchsafe, response: ServerResponse): Promise<void> {
  const text = await registry.metrics();
  response.writeHead(200, { "content-type": registry.contentType }).end(text);
}

/**
 * Counts the answers of each route that is registered after it, under its template, and those where there is no route all under
 * one name: what was asked for has no bound.
 */
export function countAnswers(app: FastifyInstance, { metrics }: Vouchsafe): void {
  const unknown = metrics.route("any", "unknown");
  app.addHook("onResponse", (request, reply, done) => {
    if (request.is404) unknown(reply.statusCode, reply.elapsedTime / 1000);
    done();
  });
  app.addHook("onRoute", (route) => {
    const answered = metrics.route([route.method].flat().join(), route.url);
    const others = [route.onResponse ?? []].flat();
    route.onResponse = [
      ...others,
      (_request, reply, done) => {
        answered(reply.statusCode, reply.elapsedTime / 1000);
        done();
      },
    ];
  });
}
