import assert from "node:assert/strict";
import type { LightMyRequestResponse } from "fastify";
import type { App } from "../../src/http/app.ts";
import { assertDescribed } from "./described.ts";

export interface Call {
  /** A bearer token; none for what is public. */
  readonly as?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
  /** Media type of the body. */
  readonly type?: string;
}

/** Routes whose answers are files and not described member by member. */
const FILES = ["GET /attestations/:id", "GET /custody/:digest.pack"];

/** Calls a route by its name in the golden file, and holds the answer to its description. */
export async function call(
  app: App,
  route: string,
  { as, params = {}, query = {}, json, bytes, type }: Call,
): Promise<LightMyRequestResponse> {
  const [method = "", path = ""] = route.split(" ");
  const url = path.replaceAll(/:(\w+)/g, (_, name) => encodeURIComponent(params[name] ?? ""));
  const payload = bytes === undefined ? JSON.stringify(json) : Buffer.from(bytes);
  const answer = await app.inject({
    method: method as "GET",
    url: `${url}?${new URLSearchParams(query)}`,
    headers: {
      ...(as !== undefined && { authorization: `Bearer ${as}` }),
      ...(payload !== undefined && { "content-type": type ?? "application/json" }),
    },
    ...(payload !== undefined && { payload }),
  });
  if (answer.body !== "" && !FILES.includes(route)) assertDescribed(app, route, answer);
  return answer;
}

/** Calls, expects the status and gives the answer's JSON. */
export async function succeeds(app: App, status: number, route: string, request: Call) {
  const answer = await call(app, route, request);
  assert.equal(answer.statusCode, status, answer.body);
  return answer.body === "" ? undefined : answer.json();
}

/** Calls, expects a problem with the code and gives the problem. */
export async function fails(app: App, code: string, route: string, request: Call) {
  const answer = await call(app, route, request);
  assert.equal(answer.json().code, code, answer.body);
  return answer.json();
}
