import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";

export interface JsonServer {
  /** Where it listens: a port, or nothing that counts on a unix socket. */
  readonly port: number;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  close(): Promise<void>;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export type Replier = (path: string, request: IncomingMessage) => Promise<Reply> | Reply;

/** @param where a unix socket's path, or how to serve TLS on a free port of 127.0.0.1 */
export async function serveJson(where: string | ServerOptions, reply: Replier): Promise<JsonServer> {
  const asked: string[] = [];
  const listener: RequestListener = (request, response) => {
    asked.push(request.url ?? "");
    void Promise.resolve(reply(request.url ?? "", request)).then(({ status = 200, headers = {}, body }) => {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
  };
  const server = typeof where === "string" ? createServer(listener) : createTlsServer(where, listener);
  server.listen(typeof where === "string" ? { path: where } : { host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  return {
    port: typeof where === "string" ? 0 : (server.address() as AddressInfo).port,
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
