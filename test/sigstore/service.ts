import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Reply {
  readonly statusCode: number;
  readonly response: string | ArrayBufferView<ArrayBuffer>;
  readonly contentType?: string;
  readonly location?: string;
}

/** Answers a request, or undefined for a path that it does not know. */
export type Answer = (method: string, path: string, body: string) => Promise<Reply> | undefined;

export interface Service {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves `answer` on a free port of the loopback interface. */
export async function serve(answer: Answer): Promise<Service> {
  const server = createServer((request, response) => {
    void respond(answer, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A service that is forgotten does not keep its process alive.
  server.unref();
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(answer: Answer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  let reply: Reply | undefined;
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    reply = await answer(request.method ?? "", request.url ?? "", Buffer.concat(chunks).toString("utf8"));
  } catch (error) {
    reply = { statusCode: 500, response: String(error) };
  }
  const { statusCode, response: body, contentType, location } = reply ?? { statusCode: 404, response: "" };
  response.writeHead(statusCode, {
    "content-type": contentType ?? "text/plain",
    // A kept connection may be closed at the very moment when a busy test sends its next request on it.
    connection: "close",
    ...(location === undefined ? {} : { location }),
  });
  response.end(typeof body === "string" ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength));
}
