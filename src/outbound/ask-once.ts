import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { readBounded } from "../read-bounded.ts";
import { type CheckedUrl, lookupOf } from "./check-url.ts";

export interface AskOnce {
  readonly accept: string;
  readonly authorization: string | undefined;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Uint8Array;
}

/** The answer breaks a bound or its encoding; the message is ours and may be shown. */
export class BadAnswer extends Error {
  override readonly name = "BadAnswer";
}

const MAX_HEADERS = 16 * 1024;

const gunzipped = promisify(gunzip);

/** Asks one URL at the addresses that were judged, on a connection of its own, which is closed whatever happens. */
export async function askOnce(checked: CheckedUrl, ask: AskOnce): Promise<Answered> {
  const { url } = checked;
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  const asked = request(url, {
    agent: false,
    lookup: lookupOf(checked),
    headers: {
      accept: ask.accept,
      "accept-encoding": "identity",
      "user-agent": "vouchsafe",
      ...(ask.authorization !== undefined && { authorization: ask.authorization }),
    },
    maxHeaderSize: MAX_HEADERS,
    minVersion: "TLSv1.2",
    signal: ask.signal,
  });
  // What breaks after the answer has begun is told by the answer, and must not end the process from here.
  asked.on("error", () => {});
  try {
    asked.end();
    const [response]: IncomingMessage[] = await once(asked, "response", { signal: ask.signal });
    if (response?.statusCode === undefined) throw new BadAnswer("it does not speak HTTP");
    return {
      status: response.statusCode,
      headers: response.headers,
      bytes: await bodyOf(response, ask.maxBytes),
    };
  } finally {
    asked.destroy();
  }
}

async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const bytes = await readBounded(response, maxBytes);
  if (bytes === undefined) throw tooLarge(maxBytes);
  return decoded(bytes, response.headers["content-encoding"], maxBytes);
}

/** Some storage answers with what it keeps, whatever was asked for. */
async function decoded(bytes: Buffer, encoding: string | undefined, maxBytes: number): Promise<Uint8Array> {
  if (encoding === undefined || encoding === "identity" || bytes.length === 0) return bytes;
  if (encoding !== "gzip") throw new BadAnswer("its answer's encoding is not one that is taken");
  try {
    return await gunzipped(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw tooLarge(maxBytes);
    throw new BadAnswer("its answer is not the gzip that it says it is", { cause });
  }
}

function tooLarge(maxBytes: number): BadAnswer {
  return new BadAnswer(`its answer is larger than ${maxBytes} bytes`);
}
