import { type IncomingHttpHeaders, type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps, type RequestOptions as TlsRequestOptions } from "node:https";

export interface GetJsonOptions {
  readonly url: URL;
  /** A unix socket to go by, whatever host the URL names. */
  readonly socketPath?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls?: Pick<TlsRequestOptions, "ca" | "rejectUnauthorized">;
  /** A longer answer is an error, and not read to its end. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface JsonAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Undefined where what came is no JSON. */
  readonly body: unknown;
}

/** One GET, on a connection of its own; no redirect is followed. Throws `Error` where there is no whole answer. */
export function getJson({ url, maxBytes, tls, ...options }: GetJsonOptions): Promise<JsonAnswer> {
  return new Promise((resolve, reject) => {
    const how: RequestOptions = { ...options, agent: false };
    const request = url.protocol === "https:" ? requestHttps(url, { ...how, ...tls }) : requestHttp(url, how);
    request.once("error", reject);
    request.once("response", (response) => {
      const pieces: Buffer[] = [];
      let length = 0;
      response.on("data", (piece: Buffer) => {
        length += piece.length;
        if (length > maxBytes) request.destroy(new Error(`the answer is over ${maxBytes} bytes`));
        else pieces.push(piece);
      });
      response.once("error", reject);
      response.once("end", () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, headers, body: parsed(Buffer.concat(pieces)) });
      });
    });
    request.end();
  });
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
