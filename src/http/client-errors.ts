import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import { type ErrorCode, VouchsafeError } from "../errors.ts";
import { PROBLEM_MEDIA_TYPE, problemOf } from "./problems.ts";

/** What Node's HTTP parser gives up on, before there is a request (llhttp's and node:http's codes). */
const CODES: ReadonlyMap<string, readonly [ErrorCode, string]> = new Map([
  ["HPE_HEADER_OVERFLOW", ["headers-too-large", "Send fewer or shorter headers"]],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", ["body-too-large", "The chunk extensions are too large"]],
  ["ERR_HTTP_REQUEST_TIMEOUT", ["request-timeout", "Send the request faster"]],
] as const);

/** Answers bytes that are not an HTTP request with a problem, and ends the connection. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  // Nobody is there to read an answer.
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  // Who does not take the answers before this one would not take it either, and hold the connection for ever.
  if (socket.writableLength > 0) {
    socket.destroy();
    return;
  }
  const [code, detail] = CODES.get(error.code ?? "") ?? [
    "invalid-request" as const,
    "The bytes are not HTTP/1.1",
  ];
  const problem = problemOf(new VouchsafeError(code, detail));
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  if (socket.writable) socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  socket.destroySoon();
}

/** RFC 9112 §3.2: a request of HTTP/1.1 names its host. */
export function requireHost(app: FastifyInstance): void {
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.headers.host !== undefined || request.raw.httpVersion !== "1.1") done();
    else done(new VouchsafeError("invalid-request", "Send a Host header"));
  });
}

/** RFC 9110 §10.1.1: nothing is expected of this server but 100-continue, which Node answers by itself. */
export function refuseExpectations(server: Server): void {
  server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) => {
    const detail = "This server meets no expectation but 100-continue";
    const problem = problemOf(new VouchsafeError("invalid-request", detail));
    response.writeHead(problem.status, { "content-type": PROBLEM_MEDIA_TYPE, connection: "close" });
    response.end(JSON.stringify(problem));
  });
}
