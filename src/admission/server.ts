import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { TLSSocket } from "node:tls";
import { closeInOrder } from "../close-server.ts";
import { type ListenAddress, listen } from "../listen.ts";
import { readBounded } from "../read-bounded.ts";
import { type Admission, admit } from "./admit.ts";
import { budgetOf } from "./deadline.ts";
import {
  type AdmissionAnswer,
  type AdmissionRequest,
  MAX_REVIEW,
  MalformedReview,
  parseReview,
  reviewOf,
} from "./review.ts";
import { keepTls, readTls, type TlsFiles } from "./tls-files.ts";

export interface AdmissionServer {
  readonly url: string;
  /** Answers what is under way, and no more. */
  close(): Promise<void>;
}

/** One line of the journal. */
export interface AdmissionLogEntry {
  readonly event: "allowed" | "denied" | "refused" | "failed" | "tls-renewed" | "tls-refused";
  readonly kind?: string;
  readonly namespace?: string;
  readonly problem?: string;
}

export interface ServeOptions extends ListenAddress {
  readonly tls: TlsFiles;
  readonly log: (entry: AdmissionLogEntry) => void;
  /** How often the files of TLS are looked at, in milliseconds. */
  readonly look?: number;
}

/** Reviews that are answered at once. The API server takes a 429 for a failure, and does what its `failurePolicy` says. */
const MAX_UNDER_WAY = 32;
/** Bytes of all bodies together, also of those on their way. Places are not counted there: who begins and sends no more would take them all. */
const MAX_HELD = 64 * 1024 * 1024;
/** How long a request may take to arrive, in milliseconds, and how often that is looked at. */
const ARRIVAL = 5_000;
const LOOK_AT_ARRIVALS = 1_000;
const JSON_TYPE = "application/json";

interface Reply {
  readonly status: number;
  readonly body: string;
}

/**
 * Serves a validating admission webhook over TLS: `POST /admit`, and `GET /healthz` and `/readyz` for the kubelet. Sizes, times and counts
 * are bounded, whoever asks.
 *
 * @throws VouchsafeError `configuration-invalid` for an address that cannot be listened on, and as `readTls`
 */
export async function serveAdmission(admission: Admission, options: ServeOptions): Promise<AdmissionServer> {
  const { tls, log } = options;
  const first = await readTls(tls);
  let underWay = 0;
  let held = 0;
  let closing = false;

  async function answer(request: IncomingMessage): Promise<Reply> {
    const url = URL.parse(request.url ?? "", "https://webhook");
    if (request.method === "GET" && url?.pathname === "/healthz") return { status: 200, body: "ok\n" };
    if (request.method === "GET" && url?.pathname === "/readyz")
      return closing ? { status: 503, body: "closing\n" } : { status: 200, body: "ok\n" };
    if (url?.pathname !== "/admit") return { status: 404, body: "reviews are for /admit\n" };
    if (request.method !== "POST") return { status: 405, body: "this is for POST\n" };
    if (tls.clientCa !== undefined && !(request.socket as TLSSocket).authorized)
      return { status: 403, body: "a certificate of the API server's is needed\n" };
    if (request.headers["content-type"] !== JSON_TYPE)
      return { status: 415, body: `a review is ${JSON_TYPE}\n` };
    return receive(request, performance.now() + budgetOf(url.searchParams.get("timeout")));
  }

  async function receive(request: IncomingMessage, deadline: number): Promise<Reply> {
    let size = 0;
    let isTooMuch = false;
    async function* counted(): AsyncGenerator<Buffer> {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        size += chunk.length;
        held += chunk.length;
        isTooMuch = held > MAX_HELD;
        if (isTooMuch) return;
        yield chunk;
      }
    }
    try {
      const bytes = await readBounded(counted(), MAX_REVIEW);
      if (bytes === undefined) return { status: 413, body: `a review has at most ${MAX_REVIEW} bytes\n` };
      if (isTooMuch || underWay >= MAX_UNDER_WAY)
        return { status: 429, body: "too many reviews are under way\n" };
      underWay += 1;
      try {
        return await review(bytes, deadline);
      } finally {
        underWay -= 1;
      }
    } finally {
      held -= size;
    }
  }

  async function review(bytes: Uint8Array, deadline: number): Promise<Reply> {
    const asked = parseReview(bytes);
    const answered = await admit(admission, asked, Math.max(50, Math.floor(deadline - performance.now())));
    log(entryOf(asked, answered));
    return { status: 200, body: JSON.stringify(reviewOf(asked.uid, answered)) };
  }

  const server = createServer(
    {
      ...first,
      ...(tls.clientCa !== undefined && { requestCert: true, rejectUnauthorized: false }),
      maxHeaderSize: 16_384,
      headersTimeout: ARRIVAL,
      requestTimeout: ARRIVAL,
      connectionsCheckingInterval: LOOK_AT_ARRIVALS,
      keepAliveTimeout: 120_000,
      handshakeTimeout: 5_000,
    },
    (request, response) => {
      void answer(request)
        .catch((error: unknown): Reply => {
          // Whoever breaks off writes no line: anybody may, as often as he likes.
          if (!request.complete) return { status: 400, body: "the review did not arrive whole\n" };
          const problem = error instanceof Error ? error.message : String(error);
          if (error instanceof MalformedReview) {
            log({ event: "refused", problem });
            return { status: 400, body: `${problem}\n` };
          }
          log({ event: "failed", problem });
          return { status: 500, body: "the webhook cannot answer now\n" };
        })
        .then((reply) => send(response, reply, closing));
    },
  );
  server.maxConnections = 1024;
  const closeServer = closeInOrder(server);
  const at = await listen(server, options);
  const stopKeeping = keepTls(
    server,
    tls,
    first,
    (event, problem) => log({ event, ...(problem !== undefined && { problem }) }),
    options.look,
  );
  return {
    url: `https://${at}`,
    async close() {
      closing = true;
      stopKeeping();
      await closeServer();
    },
  };
}

function entryOf(
  { kind, namespace }: AdmissionRequest,
  { allowed, message, warnings = [] }: AdmissionAnswer,
): AdmissionLogEntry {
  const problem = message ?? warnings[0];
  return {
    event: allowed ? "allowed" : "denied",
    kind,
    namespace,
    ...(problem !== undefined && { problem }),
  };
}

function send(response: ServerResponse, { status, body }: Reply, closing: boolean): void {
  response
    .writeHead(status, {
      "content-type": status === 200 && body.startsWith("{") ? JSON_TYPE : "text/plain; charset=utf-8",
      "content-length": Buffer.byteLength(body),
      "cache-control": "no-store",
      ...((closing || status === 413) && { connection: "close" }),
      ...(status === 429 && { "retry-after": "1" }),
    })
    .end(body);
}
