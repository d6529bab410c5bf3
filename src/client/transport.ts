import { setTimeout as sleep } from "node:timers/promises";
import { ERRORS, type ErrorCode } from "../errors.ts";
import { readBounded } from "../read-bounded.ts";
import { ApiError } from "./api-error.ts";
import type { TokenSource } from "./token-source.ts";
import { refuseRedirect, unreachable } from "./unreachable.ts";

export interface TransportOptions {
  /** Where the server is, e.g. `https://vouchsafe.example`. */
  readonly server: string;
  /** Bearer token; without one only public routes answer. */
  readonly token?: string | TokenSource;
  /** The project that is meant, for credentials that do not know theirs: OIDC tokens and SVIDs. Absent: `default`. */
  readonly project?: string;
  /** Makes the Authorization header of a call in the place of a bearer token. Asked anew for each try. */
  readonly authorize?: (call: Call) => string;
  /** The trace that calls are a part of, as the header has it (W3C Trace Context §3.2). What is malformed is not sent. */
  readonly traceparent?: string;
  /** Milliseconds that one try may take. Default 30,000. */
  readonly timeout?: number;
  /** How often a call that may be repeated is tried again after 429 or 503. Default 3. */
  readonly retries?: number;
  /** Ends every call early, and the waiting before a further try: all are then `unreachable`. */
  readonly signal?: AbortSignal;
}

export interface Call {
  readonly method: "GET" | "POST" | "DELETE";
  /** Begins with `/`; its parts are encoded. */
  readonly path: string;
  /** Media type of the answer that is wanted; JSON, or what there is, unless named. */
  readonly accept?: string;
  readonly body?: { readonly mediaType: string; readonly bytes: Uint8Array };
  /** The answer is the same however often the call is made, so a refusal for the moment may be tried again. */
  readonly repeatable: boolean;
  /** A longer answer is `unexpected-answer`, and not read to its end. */
  readonly maxBytes?: number;
  /** Ends the call early, which is then `unreachable`. */
  readonly signal?: AbortSignal;
  /** Given each line of an answer that is no error as it comes; the time that a try may take is then that of a line. */
  readonly onLine?: (line: string) => void;
  /** An answer that is no error is handed out as `body` before it has come; a try may take that long for each piece. */
  readonly streamed?: true;
}

/** An answer that is no error, read to its end; without `bytes` where `onLine` was given them or `body` gives them. */
export interface Answer {
  readonly status: number;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** Where the call was `streamed`. An answer that breaks off throws an `ApiError` and does not end. */
  readonly body?: Pieces;
}

export type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export type Transport = (call: Call) => Promise<Answer>;

/** Longer than this nobody is made to wait before a further try: the refusal is passed on instead. */
const LONGEST_WAIT = 20_000;
/** Of the version that there is; the server judges the rest. */
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
/** Milliseconds before the first further try, where the server does not say; doubled each time. */
const FIRST_WAIT = 250;

/** Sends calls one at a time or many at once. Every failure is an `ApiError`. */
export function createTransport(options: TransportOptions): Transport {
  const base = serverUrl(options.server);
  const retries = options.retries ?? 3;

  return async (call) => {
    let bearer = await bearerOf(options);
    let renewed = false;
    for (let tried = 0; ; tried += 1) {
      const deadline = startDeadline(options.timeout ?? 30_000);
      const response = await send(base, call, { ...options, bearer }, deadline);
      const answer = await read(response, call, deadline);
      if (response.ok) return answer;
      // Refused before anything was done, so that any call may be made again.
      if (response.status === 401 && !renewed && typeof options.token === "object") {
        bearer = await options.token.renewed();
        renewed = true;
        if (bearer !== undefined) continue;
      } else renewed = false;
      const wait = retryAfter(response, tried);
      const isPassing = response.status === 429 || response.status === 503;
      if (!call.repeatable || !isPassing || tried >= retries || wait > LONGEST_WAIT)
        throw refusal(answer, call);
      // Ended early, it is the further try that says so.
      await sleep(wait, undefined, options).catch(() => {});
    }
  };
}

function serverUrl(server: string): URL {
  const url = URL.parse(server.endsWith("/") ? server : `${server}/`);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new TypeError(`The server must be an http:// or https:// URL and not ${server}`);
  }
  return url;
}

interface Deadline {
  readonly signal: AbortSignal;
  /** Lets as much time go by again. */
  putOff(): void;
}

function startDeadline(milliseconds: number): Deadline {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new DOMException("too late", "TimeoutError")),
    milliseconds,
  ).unref();
  return { signal: late.signal, putOff: () => timer.refresh() };
}

async function bearerOf({ token }: TransportOptions): Promise<string | undefined> {
  return typeof token === "object" ? token.current() : token;
}

async function send(
  base: URL,
  call: Call,
  options: TransportOptions & { readonly bearer: string | undefined },
  deadline: Deadline,
): Promise<Response> {
  const headers = new Headers({ accept: call.accept ?? "application/json, */*" });
  if (options.authorize !== undefined) headers.set("authorization", options.authorize(call));
  else if (options.bearer !== undefined) headers.set("authorization", `Bearer ${options.bearer}`);
  if (options.project !== undefined) headers.set("vouchsafe-project", options.project);
  if (TRACEPARENT.test(options.traceparent ?? "")) headers.set("traceparent", options.traceparent ?? "");
  if (call.body !== undefined) headers.set("content-type", call.body.mediaType);
  const ends = [deadline.signal, options.signal, call.signal];
  const url = new URL(`.${call.path}`, base);
  let response: Response;
  try {
    response = await fetch(url, {
      method: call.method,
      headers,
      ...(call.body === undefined ? {} : { body: call.body.bytes as Uint8Array<ArrayBuffer> }),
      redirect: "manual",
      signal: AbortSignal.any(ends.filter((signal) => signal !== undefined)),
    });
  } catch (cause) {
    throw unreachable(base, cause);
  }
  refuseRedirect(url, response);
  return response;
}

async function read(response: Response, call: Call, deadline: Deadline): Promise<Answer> {
  const { onLine } = call;
  const { status } = response;
  const mediaType = response.headers.get("content-type") ?? "";
  if (call.streamed && response.ok)
    return { status, mediaType, bytes: new Uint8Array(0), body: piecesOf(response, call, deadline) };
  try {
    return {
      status,
      mediaType,
      bytes:
        onLine !== undefined && response.ok
          ? await readLines(response, deadline, onLine)
          : await readBytes(response, call),
    };
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    throw brokenOff(response, call, cause);
  }
}

async function* piecesOf(response: Response, call: Call, deadline: Deadline): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of response.body ?? []) {
      deadline.putOff();
      yield piece;
    }
  } catch (cause) {
    throw brokenOff(response, call, cause);
  }
}

function brokenOff({ url }: Response, { method, path }: Call, cause: unknown): ApiError {
  return unreachable(new URL(url), cause, `before the answer to ${method} ${path} was complete`);
}

async function readBytes({ body, status }: Response, call: Call): Promise<Uint8Array> {
  const { method, path, maxBytes = Number.POSITIVE_INFINITY } = call;
  const bytes = await readBounded(body, maxBytes);
  if (bytes === undefined)
    throw new ApiError("unexpected-answer", `The answer to ${method} ${path} is too long`, { status });
  return new Uint8Array(bytes);
}

async function readLines(
  { body }: Response,
  deadline: Deadline,
  onLine: (line: string) => void,
): Promise<Uint8Array> {
  let rest = "";
  for await (const text of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    deadline.putOff();
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  }
  return new TextEncoder().encode(rest);
}

/** Milliseconds, from Retry-After in seconds or as a date (RFC 9110, 10.2.3). */
function retryAfter(response: Response, tried: number): number {
  const header = response.headers.get("retry-after");
  if (header === null) return FIRST_WAIT * 2 ** tried;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(wait) ? FIRST_WAIT * 2 ** tried : Math.max(0, wait);
}

function refusal(answer: Answer, call: Call): ApiError {
  const { status } = answer;
  const problem = /^application\/(problem\+)?json\b/.test(answer.mediaType)
    ? tryParse(answer.bytes)
    : undefined;
  const code = problem?.code;
  if (problem === undefined || typeof code !== "string" || !Object.hasOwn(ERRORS, code)) {
    const what = `${call.method} ${call.path} was answered with ${status} and no problem that Vouchsafe knows`;
    return new ApiError("unexpected-answer", `${what}: is this a Vouchsafe server?`, { status });
  }
  return problemError(code as ErrorCode, problem, status);
}

/** A problem (RFC 9457) as the error that it tells of. */
export function problemError(
  code: ErrorCode,
  problem: Readonly<Record<string, unknown>>,
  status: number,
): ApiError {
  const detail = typeof problem.detail === "string" ? problem.detail : String(problem.title);
  return new ApiError(code, detail, { status, problem });
}

function tryParse(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
