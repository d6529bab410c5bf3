import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { closeInOrder } from "../close-server.ts";
import { type ListenAddress, listen } from "../listen.ts";
import { readBounded } from "../read-bounded.ts";
import { SIZE_MEDIA_TYPE } from "../tlog/add-checkpoint.ts";
import type { Answer, Witness } from "./witness.ts";

export interface WitnessServer {
  /** Its submission prefix. */
  readonly url: string;
  close(): Promise<void>;
}

/** What became of a submission that was signed by its log, or could not be judged. One line of a journal. */
export interface WitnessLogEntry {
  readonly event: "cosigned" | "refused" | "failed";
  readonly status: number;
  /** What was submitted, where the log signed what it must not have: whoever has it can prove that. */
  readonly submission?: string;
  readonly problem?: string;
}

/** Room for sixteen post-quantum signatures and the longest proof. */
const MAX_BODY = 128 * 1024;
const TEXT = "text/plain; charset=utf-8";

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

/**
 * Serves a witness: `POST /add-checkpoint`, and a page of text that says who it is. Whoever asks is a stranger:
 * sizes, times and connections are bounded, and so are the answers.
 *
 * @throws VouchsafeError `configuration-invalid` when the address cannot be listened on
 */
export async function serveWitness(
  witness: Witness,
  address: ListenAddress,
  log: (entry: WitnessLogEntry) => void,
): Promise<WitnessServer> {
  const server = createServer(
    { maxHeaderSize: 8192, headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 60_000 },
    (request, response) => {
      void answer(witness, request, log)
        .catch((error: unknown): Reply => {
          log({
            event: "failed",
            status: 500,
            problem: error instanceof Error ? error.message : String(error),
          });
          return { status: 500, body: "the witness cannot answer now\n" };
        })
        .then((reply) => send(response, reply));
    },
  );
  server.maxConnections = 256;
  const close = closeInOrder(server);
  const at = await listen(server, address);
  return { url: `http://${at}`, close: () => close() };
}

async function answer(
  witness: Witness,
  request: IncomingMessage,
  log: (entry: WitnessLogEntry) => void,
): Promise<Reply> {
  const { method, url } = request;
  if (url === "/" && (method === "GET" || method === "HEAD")) return { status: 200, body: page(witness) };
  if (url !== "/add-checkpoint") return { status: 404, body: "there is nothing here\n" };
  if (method !== "POST") return { status: 405, body: "this is for POST\n" };
  const body = await readBody(request);
  if (typeof body !== "string") return body;
  const answered = await witness.addCheckpoint(body);
  log(entryOf(answered, body));
  if (answered.status === 200) return { status: 200, body: answered.line };
  // Without a size: this is what tells it from an old size that did not match.
  if (answered.status === 409 && !answered.fork)
    return { status: 409, body: `${answered.size}\n`, type: SIZE_MEDIA_TYPE };
  return { status: answered.status, body: `${problemOf(answered)}\n` };
}

function entryOf(answered: Answer, submission: string): WitnessLogEntry {
  const { status } = answered;
  if (status === 200) return { event: "cosigned", status };
  const isEvidence = status === 422 || (status === 409 && answered.fork);
  return { event: "refused", status, problem: problemOf(answered), ...(isEvidence && { submission }) };
}

function problemOf(refused: Exclude<Answer, { status: 200 }>): string {
  if (refused.status !== 409) return refused.why;
  return `${refused.fork ? "another" : "a"} tree of ${refused.size} entries was cosigned`;
}

async function readBody(request: IncomingMessage): Promise<string | Reply> {
  try {
    const bytes = await readBounded(request, MAX_BODY);
    if (bytes === undefined) return { status: 413, body: `a submission has at most ${MAX_BODY} bytes\n` };
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { status: 400, body: "a submission is UTF-8, and arrives whole\n" };
  }
}

function page({ name, verifierKey, origins }: Witness): string {
  return [
    `${name} is a witness (c2sp.org/tlog-witness).`,
    "",
    `Its key:           ${verifierKey}`,
    ...origins.map((origin, i) => `${i === 0 ? "The logs it knows:" : "                  "} ${origin}`),
    "",
  ].join("\n");
}

function send(response: ServerResponse, { status, body, type = TEXT }: Reply): void {
  response
    .writeHead(status, {
      "content-type": type,
      "content-length": Buffer.byteLength(body),
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      ...(status === 413 && { connection: "close" }),
    })
    .end(body);
}
