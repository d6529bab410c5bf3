import type { Socket } from "node:net";
import { type ErrorCode, VouchsafeError } from "../errors.ts";
import { PROBLEM_MEDIA_TYPE, problemOf } from "./problems.ts";

/** What Node's HTTP parser gives up on, before there is a request (llhttp's and node:http's codes). */
const CODES: ReadonlyMap<string, readonly [ErrorCode, string]> = new Map([
  ["HPE_HEADER_OVERFLOW", ["headers-too-large", "Send fewer or shorter headers"]],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", ["body-too-large", "The chunk extensions are too large"]],
  ["ERR_HTTP_REQUEST_TIMEOUT", ["request-timeout", "Send the request faster"]],
] as const);

/** Answers bytes that are not an HTTP request with a problem, and ends the connection. */
export function answerClientError(error: Error & { code?: string }, socket: Socket, instance: string): void {
  // Nobody is there to read an answer.
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  const [code, detail] = CODES.get(error.code ?? "") ?? [
    "invalid-request" as const,
    "The bytes are not HTTP/1.1",
  ];
  const problem = problemOf(new VouchsafeError(code, detail), instance);
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
