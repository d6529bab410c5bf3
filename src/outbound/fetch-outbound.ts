import type { IncomingHttpHeaders } from "node:http";
import { VouchsafeError } from "../errors.ts";
import { type Answered, type AskOnce, askOnce, BadAnswer } from "./ask-once.ts";
import { checkUrl } from "./check-url.ts";
import type { OutboundRules } from "./rules.ts";

export interface OutboundOptions {
  /** Whom this installation may ask: `Config.outbound`. */
  readonly rules: OutboundRules;
  /** Media types, as `Accept` has them. */
  readonly accept: string;
  /** Of the answer's body, after its encoding is taken off. */
  readonly maxBytes: number;
  /** Of all of it, redirects too, from the look-up of the name to the last byte, in milliseconds. */
  readonly timeout: number;
  /** Sent to the URL's origin, and to none that it redirects to. */
  readonly authorization?: string;
  readonly signal?: AbortSignal;
}

export interface OutboundAnswer {
  /** Whatever it is, but a redirect: callers know what 404 means to them. */
  readonly status: number;
  /** `Content-Type` without its parameters, in lower case; empty if it has none. */
  readonly mediaType: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Uint8Array;
  /** Who answered in the end. */
  readonly url: URL;
}

const MAX_REDIRECTS = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * GETs from a host that somebody else names: the one way out to such hosts. Each URL on the way is judged before it is
 * asked, the connection goes to an address that was judged, and time and size are bounded.
 *
 * @throws VouchsafeError `outbound-refused` when the rules forbid it, `outbound-failed` when no answer can be had
 */
export async function fetchOutbound(url: string | URL, options: OutboundOptions): Promise<OutboundAnswer> {
  const timeout = AbortSignal.timeout(options.timeout);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  let current = parse(url);
  let { authorization } = options;
  for (let redirects = 0; ; redirects++) {
    const { rules, accept, maxBytes } = options;
    const answered = await ask(current, rules, { accept, authorization, maxBytes, signal }, timeout);
    const next = redirectOf(current, answered);
    if (next === undefined) return answerOf(current, answered);
    if (redirects === MAX_REDIRECTS) throw failed(current, "it redirects too often");
    if (next.origin !== current.origin) authorization = undefined;
    current = next;
  }
}

async function ask(url: URL, rules: OutboundRules, one: AskOnce, timeout: AbortSignal): Promise<Answered> {
  try {
    const checked = await checkUrl(url, rules, one.signal);
    return await askOnce(checked, one);
  } catch (cause) {
    if (cause instanceof VouchsafeError) throw cause;
    if (cause instanceof BadAnswer) throw failed(url, cause.message, cause);
    if (timeout.aborted) throw failed(url, "it did not answer in time", cause);
    if (one.signal.aborted) throw failed(url, "asking was given up", cause);
    throw failed(url, reasonOf(cause), cause);
  }
}

function redirectOf(url: URL, { status, headers }: Answered): URL | undefined {
  if (!REDIRECTS.has(status)) return undefined;
  const next = headers.location === undefined ? null : URL.parse(headers.location, url.href);
  if (next === null) throw failed(url, "it redirects to no URL");
  next.hash = "";
  return next;
}

function answerOf(url: URL, { status, headers, bytes }: Answered): OutboundAnswer {
  const mediaType = (headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return { status, mediaType, headers, bytes, url };
}

function parse(url: string | URL): URL {
  const parsed = URL.parse(String(url));
  if (parsed === null) throw new VouchsafeError("outbound-refused", "what is to be asked is no URL");
  return parsed;
}

/** Paths and queries stay out: they may hold what only the asker knows. */
function failed({ host }: URL, why: string, cause?: unknown): VouchsafeError {
  return new VouchsafeError("outbound-failed", `${host} cannot be asked: ${why}`, { cause });
}

/** Codes of Node and OpenSSL say what an operator can mend: a name, a port, a certificate. */
function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : undefined;
  return code === undefined ? "the connection failed" : `the connection failed (${code})`;
}
