/** Every route under requests that nobody should send: a few in everybody's tests, very many where VOUCHSAFE_LONG=1 asks for them. */
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { ROLES } from "../../src/services/caller.ts";
import { openNode, type TestNode, turn } from "../http/node.ts";
import fc from "../support/fc.ts";
import { IS_LONG } from "../support/long.ts";

const REQUESTS = IS_LONG ? 20_000 : 150;
const SOCKETS = IS_LONG ? 3_000 : 40;
const DIGEST = `sha256:${"ab".repeat(32)}`;
/** These answer when something happens. */
const ENDLESS = /\/stream$|\/watch$|^GET \/events$/;
const WORDS = [
  DIGEST,
  `sha512:${"ab".repeat(64)}`,
  "sha256:",
  "__proto__",
  "constructor",
  "../../etc/passwd",
  "x' or 1=1 --",
  "\u0000",
  "\ud800",
  "💥".repeat(100),
  "a".repeat(3_000),
  "-1",
  "1e999",
  "9007199254740993",
  "2026-01-01T00:00:00Z",
  "true",
  "null",
  "{}",
  "",
];

let node: TestNode;
let token: string;
let port: number;
const rejections: unknown[] = [];
const note = (reason: unknown) => rejections.push(reason);
before(async () => {
  process.on("unhandledRejection", note);
  node = await openNode();
  token = await node.token(ROLES);
  await node.app.listen({ host: "127.0.0.1", port: 0 });
  port = (node.app.server.address() as AddressInfo).port;
});
after(async () => {
  await node.close();
  process.off("unhandledRejection", note);
});

const word = fc.oneof(fc.constantFrom(...WORDS), fc.string(), fc.string({ unit: "binary" }));

/** Members by the names that some route knows, with values that it may not. */
function bodies(names: readonly string[]): fc.Arbitrary<unknown> {
  const value = fc.oneof(
    word,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(word, { maxLength: 4 }),
    fc.dictionary(word, fc.oneof(word, fc.array(word, { maxLength: 2 })), { maxKeys: 3 }),
    fc.jsonValue(),
  );
  const known = fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 6 });
  return fc.oneof(
    { weight: 4, arbitrary: known.map((members) => Object.fromEntries(members)) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
}

test("no request has a route answer with 500, hang or leave a rejection that nobody handles", async () => {
  const routes = [...node.app.routeLimits.keys()].filter((route) => !ENDLESS.test(route));
  const { paths } = (await node.app.inject("/openapi.json")).json();
  const described = JSON.stringify(paths);
  const names = [
    ...new Set([...described.matchAll(/"([a-z][A-Za-z]{2,20})":\{/g)].map(([, name = ""]) => name)),
  ];
  const request = fc.record({
    route: fc.constantFrom(...routes),
    words: fc.array(word, { minLength: 3, maxLength: 3 }),
    query: fc.array(
      fc.tuple(fc.constantFrom("limit", "after", "digest", "policy", "asOf", "type", ...names), word),
      { maxLength: 3 },
    ),
    body: bodies(names),
    type: fc.constantFrom(
      "application/json",
      "application/jsonl",
      "application/vnd.dsse.envelope.v1+json",
      "text/plain",
      "x",
    ),
    // Most get past the door.
    authorization: fc.oneof(
      { weight: 5, arbitrary: fc.constant(`Bearer ${token}`) },
      {
        weight: 1,
        arbitrary: fc.constantFrom("Bearer x", "Bearer a.b.c", "Vouchsafe-Agent x", "Basic eDp5", ""),
      },
    ),
    isGood: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ route, words, query, body, type, authorization, isGood }) => {
      const [method = "GET", path = ""] = route.split(" ");
      let at = 0;
      const url = path
        .replaceAll(/:\w+/g, () =>
          isGood ? DIGEST : encodeURIComponent((words[at++] ?? "x").toWellFormed()) || "x",
        )
        .replace("*", "000.p/1");
      const search = new URLSearchParams(
        query.map(([name, value]): [string, string] => [name, value.toWellFormed()]),
      ).toString();
      await turn();
      const answer = await node.app.inject({
        method: method as "GET",
        url: search === "" ? url : `${url}?${search}`,
        headers: {
          ...(authorization !== "" && { authorization }),
          ...(method === "POST" && { "content-type": type }),
        },
        ...(method === "POST" && { payload: JSON.stringify(body) }),
        signal: AbortSignal.timeout(30_000),
      });
      const isToWait = answer.statusCode === 503 && answer.headers["retry-after"] !== undefined;
      assert.ok(
        answer.statusCode < 500 || isToWait,
        `${route} ${answer.statusCode} ${answer.body.slice(0, 500)}`,
      );
      if (answer.statusCode >= 400 && method !== "HEAD") assert.match(answer.json().code, /^[a-z-]+$/);
    }),
    { numRuns: REQUESTS },
  );
  assert.deepEqual(rejections, []);
});

test("no bytes on a socket end the server, or have it answer otherwise than HTTP", async () => {
  const line = fc.constantFrom(
    "GET /healthz HTTP/1.1",
    "POST /attestations HTTP/1.1",
    "POST /verify-digest HTTP/1.1",
    "OPTIONS * HTTP/1.1",
    "CONNECT x:1 HTTP/1.1",
    "GET http://[::1/ HTTP/1.1",
    "GET //a\\..\\b?%%%=& HTTP/1.1",
    "PRI * HTTP/2.0",
    "GET /healthz HTTP/9.9",
    "\u0016\u0003\u0001",
  );
  const header = fc.constantFrom(
    "Host: x",
    "Content-Length: 5",
    "Content-Length: -1",
    "Content-Length: 99999999999999999999",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Expect: 100-continue",
    "Upgrade: websocket",
    "Connection: Upgrade, HTTP2-Settings",
    "Content-Type: application/json",
    "Content-Encoding: gzip",
    "Authorization: Bearer \u00ff",
    "Vouchsafe-Project: \u00ff",
    "Accept: */*;q=x, application/vnd.in-toto+json;;;",
    `X: ${"a".repeat(20_000)}`,
    ": no name",
    "folded\r\n header",
  );
  const body = fc.constantFrom(
    "",
    "{}",
    "5\r\nhello\r\n0\r\n\r\n",
    "FFFFFFFFFF\r\n",
    "ZZ\r\n",
    "{".repeat(2_000),
  );
  const bytes = fc.array(fc.tuple(line, fc.array(header, { maxLength: 5 }), body), {
    minLength: 1,
    maxLength: 3,
  });
  await fc.assert(
    fc.asyncProperty(bytes, fc.nat(4_000), async (requests, cut) => {
      const sent = requests
        .map(([first, headers, end]) => `${[first, ...headers].join("\r\n")}\r\n\r\n${end}`)
        .join("");
      const answer = await exchange(sent.slice(0, Math.max(1, cut)));
      assert.match(answer, /^($|HTTP\/1\.1 [1-4]\d\d )/);
    }),
    { numRuns: SOCKETS },
  );
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
  assert.deepEqual(rejections, []);
});

/** What came back until the server had nothing more to say. */
function exchange(sent: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.once("error", () => resolve(answer));
    socket.once("close", () => resolve(answer));
    socket.setTimeout(10_000, () => socket.destroy());
    socket.end(sent, "latin1");
  });
}
