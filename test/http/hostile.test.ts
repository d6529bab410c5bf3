import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { InjectOptions } from "fastify";
import type { ErrorCode } from "../../src/errors.ts";
import { ERRORS } from "../../src/errors.ts";
import { openNode, type TestNode, turn } from "./node.ts";
import { RELEASE_POLICY } from "./release.ts";

const MIB = 1024 * 1024;
const DIGEST = `sha256:${"ab".repeat(32)}`;
const JSON_TYPE = { "content-type": "application/json" };

let node: TestNode;
let operator: string;
before(async () => {
  node = await openNode();
  operator = await node.token(["operator", "issuer"]);
});
after(() => node.close());

function body(method: "POST" | "DELETE", url: string, payload: string | Buffer, headers = {}): InjectOptions {
  return { method, url, payload, headers: { ...JSON_TYPE, ...headers } };
}

const evidence = (payload: string | Buffer, type = "application/json") =>
  body("POST", "/attestations", payload, { "content-type": type });
const quarantine = (payload: string | Buffer) => body("POST", "/quarantines", payload);
const ask = (query: string): InjectOptions => ({ url: `/verify-digest?${query}` });
const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

const cases: [name: string, request: InjectOptions, code: ErrorCode][] = [
  ["truncated JSON as evidence", evidence('{"mediaType":"application/vnd.dev.sig'), "malformed-json"],
  ["an empty body as evidence", evidence(""), "malformed-json"],
  ["no body and no type as evidence", { method: "POST", url: "/attestations" }, "unsupported-media-type"],
  ["20 MB as evidence", evidence(`{"a":"${"x".repeat(20 * MIB)}"}`), "body-too-large"],
  ["20 MB of broken JSON as evidence", evidence("[".repeat(20 * MIB)), "body-too-large"],
  ["15 MB of nesting as evidence", evidence("[".repeat(15 * MIB)), "json-too-deep"],
  ["10,000 levels of nesting as evidence", evidence(nested(10_000)), "json-too-deep"],
  ["a duplicate member as evidence", evidence('{"payload":"","payload":""}'), "malformed-json"],
  ["evidence that is not UTF-8", evidence(Buffer.from([0x22, 0xff, 0x22])), "malformed-json"],
  ["evidence with a byte order mark", evidence("\ufeff{}"), "malformed-json"],
  ["JSON that is no evidence", evidence("{}"), "unknown-evidence-format"],
  ["JSON that is no object as evidence", evidence("[1]"), "unknown-evidence-format"],
  ["evidence of a wrong media type", evidence("{}", "application/xml"), "unsupported-media-type"],
  ["evidence as a form", evidence("a=b", "application/x-www-form-urlencoded"), "unsupported-media-type"],
  ["evidence of a malformed media type", evidence("{}", "json"), "unsupported-media-type"],
  [
    "compressed evidence",
    body("POST", "/attestations", gzipSync("{}"), { "content-encoding": "gzip" }),
    "unsupported-media-type",
  ],
  ["1,001 lines", evidence("{}\n".repeat(1_001), "application/jsonl"), "too-many-items"],
  ["no line", evidence("\n\n", "application/jsonl"), "invalid-request"],
  ["evidence for another method", { method: "PUT", url: "/attestations" }, "method-not-allowed"],

  ["truncated JSON", quarantine('{"artifact":'), "malformed-json"],
  ["2 MB where 1 is taken", quarantine(`{"artifact":"${"x".repeat(2 * MIB)}"}`), "body-too-large"],
  ["10,000 levels of nesting", quarantine(`{"artifact":${nested(10_000)}}`), "json-too-deep"],
  [
    "a duplicate member",
    quarantine(`{"artifact":"a","artifact":"${DIGEST}","reason":"r"}`),
    "malformed-json",
  ],
  ["an unknown member", quarantine(`{"artifact":"${DIGEST}","reason":"r","force":true}`), "invalid-request"],
  [
    "a member named __proto__",
    quarantine(`{"artifact":"${DIGEST}","reason":"r","__proto__":{}}`),
    "invalid-request",
  ],
  [
    "__proto__ in the place of a member",
    quarantine(`{"__proto__":{"artifact":"${DIGEST}","reason":"r"}}`),
    "invalid-request",
  ],
  ["a missing member", quarantine(`{"artifact":"${DIGEST}"}`), "invalid-request"],
  ["a number where text belongs", quarantine(`{"artifact":"${DIGEST}","reason":1}`), "invalid-request"],
  [
    "a text that is too long",
    quarantine(`{"artifact":"${DIGEST}","reason":"${"r".repeat(1001)}"}`),
    "invalid-request",
  ],
  ["a list where an object belongs", quarantine("[]"), "invalid-request"],
  ["null where an object belongs", quarantine("null"), "invalid-request"],
  ["no body", { method: "POST", url: "/quarantines" }, "invalid-request"],
  ["something after the JSON", quarantine(`{"artifact":"${DIGEST}","reason":"r"} {}`), "malformed-json"],
  [
    "a wrong media type",
    body("POST", "/quarantines", "{}", { "content-type": "text/plain" }),
    "unsupported-media-type",
  ],
  [
    "evidence's media type elsewhere",
    body("POST", "/quarantines", "{}", { "content-type": "application/jsonl" }),
    "unsupported-media-type",
  ],

  ["a manifest of no kind", body("POST", "/manifests", '{"schemaVersion":2}'), "malformed-manifest"],
  ["a manifest that is too large", body("POST", "/manifests", "9".repeat(2 ** 22 + 1)), "body-too-large"],

  ["a digest without algorithm", ask("digest=abc"), "malformed-digest"],
  ["a digest that is too short", ask("digest=sha256:ab"), "malformed-digest"],
  ["a digest in upper case", ask(`digest=${DIGEST.replace("ab", "AB")}`), "malformed-digest"],
  ["an algorithm that is not known", ask(`digest=crc32:${"ab".repeat(4)}`), "unsupported-digest-algorithm"],
  ["an algorithm named __proto__", ask("digest=__proto__:ab"), "unsupported-digest-algorithm"],
  ["no digest", ask("policy=release"), "invalid-request"],
  ["an empty digest", ask("digest="), "invalid-request"],
  ["a digest twice", ask(`digest=${DIGEST}&digest=${DIGEST}`), "invalid-request"],
  ["an unknown query parameter", ask(`digest=${DIGEST}&polcy=x`), "invalid-request"],
  ["a query parameter named __proto__", ask(`digest=${DIGEST}&__proto__=x`), "invalid-request"],
  ["a log size that is no number", ask(`digest=${DIGEST}&minSize=many`), "invalid-request"],
  ["a log size in hex", ask(`digest=${DIGEST}&minSize=0x1`), "invalid-request"],
  ["a negative log size", ask(`digest=${DIGEST}&minSize=-1`), "invalid-request"],
  ["a fractional log size", ask(`digest=${DIGEST}&minSize=1.5`), "invalid-request"],
  ["a log size that the log has not reached", ask(`digest=${DIGEST}&minSize=999999999999999`), "stale"],
  ["a policy that the caller may not choose", ask(`digest=${DIGEST}&policy=release`), "policy-not-allowed"],
  ["neither digest nor digests", body("POST", "/verify-digest", "{}"), "invalid-request"],
  [
    "both digest and digests",
    body("POST", "/verify-digest", JSON.stringify({ digest: DIGEST, digests: [DIGEST] })),
    "invalid-request",
  ],
  [
    "257 digests",
    body("POST", "/verify-digest", JSON.stringify({ digests: new Array(257).fill(DIGEST) })),
    "invalid-request",
  ],
  [
    "one bad digest among good ones",
    body("POST", "/verify-digest", JSON.stringify({ digests: [DIGEST, "md4:00"] })),
    "unsupported-digest-algorithm",
  ],

  ["a path that nothing is at", { url: "/nothing" }, "not-found"],
  ["a path below a route", { url: "/quarantines/1/2/3" }, "not-found"],
  ["a path with a slash too many", { url: "/healthz/" }, "not-found"],
  ["a wrong method", { method: "DELETE", url: "/artifacts" }, "method-not-allowed"],
  ["a method that nothing takes", { method: "OPTIONS", url: "/healthz" }, "method-not-allowed"],
  ["bad percent-encoding", { url: "/artifacts/%zz" }, "invalid-request"],
  ["percent-encoding of no UTF-8", { url: "/artifacts/%ff" }, "invalid-request"],
  ["a path that climbs", { url: "/artifacts/..%2f..%2fetc%2fpasswd" }, "malformed-digest"],
  ["a part of the path that is too long", { url: `/artifacts/${"a".repeat(300)}` }, "invalid-request"],
  ["a NUL in the path", { url: "/artifacts/sha256%00" }, "malformed-digest"],
  ["an artifact that nobody knows", { url: `/artifacts/${DIGEST}` }, "not-found"],
  ["an attestation that nobody knows", { url: `/attestations/${DIGEST}` }, "not-found"],
  ["the custody of nothing", { url: `/custody/${DIGEST}` }, "not-found"],
  ["the pack of nothing", { url: `/custody/${DIGEST}.pack` }, "not-found"],
  ["a pack of no digest", { url: "/custody/passwd.pack" }, "malformed-digest"],
  ["a search for anything", { url: "/artifacts" }, "invalid-request"],
  ["a search with an odd page", { url: "/artifacts?commit=a&after=x'%20or%201" }, "invalid-request"],
  ["a search with a NUL", { url: "/artifacts?signer=%00" }, "invalid-request"],
  ["a page of 0", { url: "/artifacts?commit=a&limit=0" }, "invalid-request"],
  ["a page of 201", { url: "/artifacts?commit=a&limit=201" }, "invalid-request"],

  ["a quarantine that nobody opened", body("POST", "/quarantines/7/lift", '{"reason":"r"}'), "not-found"],
  ["a token with no role", body("POST", "/tokens", '{"name":"x","roles":[]}'), "invalid-request"],
  [
    "a token with a made-up role",
    body("POST", "/tokens", '{"name":"x","roles":["root"]}'),
    "invalid-request",
  ],
  [
    "a token for ever",
    body("POST", "/tokens", '{"name":"x","roles":["agent"],"expiresIn":99999999}'),
    "invalid-request",
  ],
  [
    "a token with a NUL in its name",
    body("POST", "/tokens", '{"name":"a\\u0000b","roles":["agent"]}'),
    "invalid-request",
  ],
  [
    "a token for a policy with a NUL in its name",
    body("POST", "/tokens", '{"name":"x","roles":["agent"],"policies":["a\\u0000b"]}'),
    "invalid-request",
  ],
  [
    "a reason that would colour an auditor's terminal",
    quarantine(`{"artifact":"${DIGEST}","reason":"\\u001b[31mred"}`),
    "invalid-request",
  ],
  [
    "a query parameter where a route takes none",
    { ...evidence("{}"), url: "/attestations?dryRun=1" },
    "invalid-request",
  ],
  ["a query parameter where a reader takes none", { url: "/policies?active=false" }, "invalid-request"],
  ["a token with an odd id", { method: "DELETE", url: "/tokens/x" }, "invalid-request"],
  ["a token that nobody made", { method: "DELETE", url: "/tokens/0123456789abcdef" }, "not-found"],
  ["a policy that is no YAML", policies("a: [", null), "invalid-policy"],
  ["policies in the place of others", policies(RELEASE_POLICY, `sha256:${"0".repeat(64)}`), "conflict"],
  ["trust of no shape", body("POST", "/trust", '{"document":{"x":1},"previous":null}'), "invalid-trust"],
  ["trust that is no object", body("POST", "/trust", '{"document":[],"previous":null}'), "invalid-request"],
];

function policies(text: string, previous: string | null): InjectOptions {
  return body(
    "POST",
    "/policies",
    JSON.stringify({ documents: text ? [{ name: "a.yaml", text }] : [], previous }),
  );
}

describe("hostile input is refused with a problem and a stable code", () => {
  for (const [name, request, code] of cases) {
    test(`${name}: ${code}`, async () => {
      await turn();
      const before = node.v.projection.size;
      const answer = await node.app.inject({
        ...request,
        headers: { ...request.headers, authorization: `Bearer ${operator}` },
      });
      const problem = answer.json();
      assert.equal(problem.code, code, answer.body);
      assert.equal(answer.statusCode, ERRORS[code].status);
      assert.equal(answer.headers["content-type"], "application/problem+json");
      assert.equal(problem.status, answer.statusCode);
      assert.equal(problem.type, `urn:vouchsafe:error:${code}`);
      assert.equal(problem.title, ERRORS[code].title);
      assert.ok(problem.detail.length > 0 && problem.detail.length < 2_000);
      assert.match(problem.instance, /^[0-9a-f-]{36}$/);
      if (answer.statusCode === 405) assert.ok(answer.headers.allow);
      if (answer.statusCode === 503) assert.ok(Number(answer.headers["retry-after"]) > 0);
      await node.v.projection.follow();
      assert.ok(node.v.projection.size - before <= 1, "at most the rejection is recorded");
    });
  }

  test("no refused member is repeated in an answer but by its name", async () => {
    const answer = await node.app.inject({
      ...quarantine('{"artifact":"s3cret","reason":7,"passw0rd":"hunter2"}'),
      headers: { ...JSON_TYPE, authorization: `Bearer ${operator}` },
    });
    assert.ok(!answer.body.includes("hunter2"));
    assert.deepEqual(
      answer.json().errors.map(({ path }: { path: string }) => path),
      ["body/passw0rd", "body/reason"],
    );
  });

  test("the server is as quick afterwards", async () => {
    // Of the processor's time, which other processes cannot lengthen.
    const before = process.cpuUsage();
    assert.equal((await node.app.inject("/healthz")).statusCode, 200);
    const { user, system } = process.cpuUsage(before);
    assert.ok(user + system < 1_000_000);
  });
});

describe("tokens", () => {
  const call = (token: string) =>
    node.app.inject({ url: "/quarantines", headers: { authorization: `Bearer ${token}` } });
  const codeOf = async (token: string) => (await call(token)).json().code;

  test("one of another installation, one that is cut, one with another's secret", async () => {
    const token = await node.token(["auditor"]);
    const [, id] = token.split("_") as [string, string];
    const secret = token.slice(-43);
    const [, otherId] = (await node.token(["auditor"])).split("_") as [string, string];
    assert.equal((await call(token)).statusCode, 200);
    for (const wrong of [
      `vouchsafe_${id}_${"A".repeat(43)}`,
      `vouchsafe_${otherId}_${secret}`,
      `vouchsafe_${id}_${secret.slice(1)}`,
      `vouchsafe_${id}_`,
      `vouchsafe_${id}`,
      token.toUpperCase(),
      secret,
      `${token}=`,
    ]) {
      assert.equal(await codeOf(wrong), "unauthenticated", wrong.slice(0, 20));
    }
  });

  test("one that was revoked is refused at once where it was revoked", async () => {
    const token = await node.token(["auditor"]);
    assert.equal((await call(token)).statusCode, 200);
    const revoked = await node.app.inject({
      method: "DELETE",
      url: `/tokens/${token.split("_")[1]}`,
      headers: { authorization: `Bearer ${operator}` },
    });
    assert.equal(revoked.statusCode, 204);
    assert.equal(await codeOf(token), "unauthenticated");
  });

  test("one that has expired", async () => {
    const token = await node.token(["auditor"], { expiresIn: 60 });
    assert.equal((await call(token)).statusCode, 200);
    node.advance(60_000);
    assert.equal(await codeOf(token), "unauthenticated");
  });
});
