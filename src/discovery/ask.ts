import { VouchsafeError } from "../errors.ts";
import {
  AttestationFormatError,
  isJsonObject,
  type JsonObject,
  parseJson,
} from "../in-toto-attestation/index.ts";
import { fetchOutbound, type OutboundAnswer } from "../outbound/fetch-outbound.ts";
import type { OutboundRules } from "../outbound/rules.ts";

export interface Question {
  readonly accept: string;
  readonly maxBytes: number;
  readonly authorization?: string;
}

/** Asks one URL of all that discovery in one source may ask. Throws as `fetchOutbound`, and `too-many-items` beyond its bounds. */
export type Ask = (url: string | URL, question: Question) => Promise<OutboundAnswer>;

/** What one source may cost altogether, whatever it answers. */
const MOST_REQUESTS = 160;
const MOST_BYTES = 48 * 1024 * 1024;
const MOST_TIME = 25_000;
const TIMEOUT = 10_000;

/** Of a JSON document that is no evidence: a page, a token, what a package index says of a version. */
export const MAX_PAGE = 4 * 1024 * 1024;
const MAX_DEPTH = 64;

/** A way to ask that ends when one source has cost as much as a source may; `time` in milliseconds. */
export function boundedAsk(rules: OutboundRules, time = MOST_TIME): Ask {
  const late = AbortSignal.timeout(time);
  let requests = 0;
  let bytes = 0;
  return async (url, question) => {
    requests += 1;
    if (requests > MOST_REQUESTS || bytes >= MOST_BYTES)
      throw new VouchsafeError("too-many-items", "the source has more to say than is listened to");
    const maxBytes = Math.min(question.maxBytes, MOST_BYTES - bytes);
    const answer = await fetchOutbound(url, { ...question, rules, maxBytes, timeout: TIMEOUT, signal: late });
    bytes += answer.bytes.length;
    return answer;
  };
}

/** The answer's bytes; undefined where there is no such thing. Throws `outbound-failed` for every other refusal. */
export function bytesOf(answer: OutboundAnswer): Uint8Array | undefined {
  if (answer.status === 200) return answer.bytes;
  if (answer.status === 404) return undefined;
  throw unexpected(answer, statusWords(answer.status));
}

/** The same as a JSON object. */
export function objectOf(answer: OutboundAnswer): JsonObject | undefined {
  const bytes = bytesOf(answer);
  if (bytes === undefined) return undefined;
  try {
    const json = parseJson(bytes, { maxBytes: bytes.length, maxDepth: MAX_DEPTH });
    if (isJsonObject(json)) return json;
  } catch (cause) {
    if (!(cause instanceof AttestationFormatError)) throw cause;
  }
  throw unexpected(answer, "its answer is not the JSON that was asked for");
}

export function unexpected({ url }: OutboundAnswer, why: string): VouchsafeError {
  return new VouchsafeError("outbound-failed", `${url.host}: ${why}`);
}

/** The next page that `Link` names (RFC 8288), where it is at the origin that was asked: whom to ask is not the answer's to say. */
export function nextPage({ headers, url }: OutboundAnswer, origin: string): URL | undefined {
  const { link } = headers;
  if (typeof link !== "string" || link.length > 8192) return undefined;
  const [, target] = /<([^<>]*)>\s*;[^,]*\brel="?next"?/.exec(link) ?? [];
  const next = target === undefined ? null : URL.parse(target, url.href);
  return next?.origin === origin ? next : undefined;
}

function statusWords(status: number): string {
  if (status === 401 || status === 403) return `it wants credentials (status ${status})`;
  if (status === 429) return "it is asked too often (status 429)";
  return `it answered with status ${status}`;
}
