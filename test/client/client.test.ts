import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { ApiError } from "../../src/client/api-error.ts";
import { createClient } from "../../src/client/client.ts";
import type { TransportOptions } from "../../src/client/transport.ts";

interface Scripted {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Sends half of the body and drops the connection. */
  readonly cutShort?: boolean;
}

const BUSY: Scripted = {
  status: 503,
  headers: { "content-type": "application/problem+json", "retry-after": "0" },
  body: JSON.stringify({ code: "unavailable", status: 503, title: "Busy", detail: "The database is away" }),
};
const JSON_TYPE = { "content-type": "application/json; charset=utf-8" };
const LINES_TYPE = { "content-type": "application/jsonl" };

/** A server that gives the answers of a script one after the other, the last for ever, and keeps what it was asked. */
async function scripted(
  t: TestContext,
  answers: readonly Scripted[],
  options: Partial<TransportOptions> = {},
) {
  const asked: { method: string; url: string; headers: IncomingMessage["headers"]; body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const answer = answers[Math.min(asked.length, answers.length - 1)];
    asked.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers, body });
    if (answer === undefined) return;
    response.writeHead(answer.status, answer.headers);
    if (answer.cutShort) response.write(answer.body, () => response.destroy());
    else response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, url, client: createClient({ server: url, ...options }) };
}

test("sends the token, the query and nothing that was not given", async (t) => {
  const { asked, client } = await scripted(t, [{ status: 200, headers: JSON_TYPE, body: "{}" }], {
    token: "vouchsafe_id_secret",
  });
  await assert.rejects(client.verifyDigest("sha256:ab", { minSize: 7 }), { code: "unexpected-answer" });
  await client.findArtifacts({ repository: "https://github.com/a/b?c" });
  await client.readArtifact("sha256:ab/../x");
  assert.deepEqual(
    asked.map(({ method, url }) => `${method} ${url}`),
    [
      "GET /verify-digest?digest=sha256%3Aab&minSize=7",
      "GET /artifacts?repository=https%3A%2F%2Fgithub.com%2Fa%2Fb%3Fc",
      "GET /artifacts/sha256:ab%2F..%2Fx",
    ],
  );
  assert.equal(asked[0]?.headers.authorization, "Bearer vouchsafe_id_secret");
});

test("calls are a part of the trace that is named, where it is one", async (t) => {
  const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  const answers = [{ status: 200, headers: JSON_TYPE, body: "{}" }];
  const { asked, url } = await scripted(t, answers);
  for (const named of [traceparent, "00-garbage", `${traceparent}\r\nx: y`, ""])
    await createClient({ server: url, traceparent: named }).health();
  await createClient({ server: url }).health();
  assert.deepEqual(
    asked.map(({ headers }) => headers.traceparent),
    [traceparent, undefined, undefined, undefined, undefined],
  );
});

test("a server below a path keeps its path", async (t) => {
  const { asked, url } = await scripted(t, [{ status: 200, headers: JSON_TYPE, body: "{}" }]);
  await createClient({ server: `${url}/vouchsafe` }).health();
  assert.equal(asked[0]?.url, "/vouchsafe/healthz");
});

test("pushes evidence byte for byte and says whether it was new", async (t) => {
  const answer = { headers: JSON_TYPE, body: JSON.stringify({ attestation: {}, receipt: {}, verdicts: [] }) };
  const { asked, client } = await scripted(t, [
    { status: 201, ...answer },
    { status: 200, ...answer },
  ]);
  const bytes = Buffer.from('{ "a":1 }\n');
  assert.equal((await client.pushAttestation(bytes)).created, true);
  assert.equal((await client.pushAttestation(bytes)).created, false);
  assert.equal(asked[1]?.body, bytes.toString());
});

test("asks for proofs of the sizes that were given, and for receipts by their indexes", async (t) => {
  const body = JSON.stringify({ receipts: [{ index: 7 }] });
  const { asked, client } = await scripted(t, [{ status: 200, headers: JSON_TYPE, body }]);
  await client.proveInclusion({ index: 0 });
  await client.proveInclusion({ index: 3, treeSize: 9 });
  await client.proveConsistency({ from: 0 });
  await client.proveConsistency({ from: 3, to: 9 });
  assert.deepEqual(await client.readReceipts([7]), [{ index: 7 }]);
  assert.deepEqual(
    asked.map(({ method, url, body }) => `${method} ${url} ${body}`.trim()),
    [
      "GET /log/proof/inclusion?index=0",
      "GET /log/proof/inclusion?index=3&treeSize=9",
      "GET /log/proof/consistency?from=0",
      "GET /log/proof/consistency?from=3&to=9",
      'POST /log/receipts {"indexes":[7]}',
    ],
  );
});

test("a problem becomes an error with its code, status, detail and members", async (t) => {
  const problem = {
    code: "conflict",
    status: 409,
    title: "Changed",
    detail: "Read again",
    active: "sha256:1",
  };
  const { client } = await scripted(t, [
    { status: 409, headers: { "content-type": "application/problem+json" }, body: JSON.stringify(problem) },
  ]);
  await assert.rejects(client.activatePolicies([], null), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.code, "conflict");
    assert.equal(error.status, 409);
    assert.equal(error.message, "Read again");
    assert.equal(error.problem.active, "sha256:1");
    return true;
  });
});

test("a call that may be repeated is tried again when the server is busy for the moment", async (t) => {
  const { asked, client } = await scripted(t, [BUSY, BUSY, { status: 200, headers: JSON_TYPE, body: "{}" }]);
  await client.readPolicies();
  assert.equal(asked.length, 3);
});

test("tries are bounded", async (t) => {
  const { asked, client } = await scripted(t, [BUSY], { retries: 2 });
  await assert.rejects(client.readPolicies(), { code: "unavailable", status: 503 });
  assert.equal(asked.length, 3);
});

test("a call that must not be repeated is tried once", async (t) => {
  const { asked, client } = await scripted(t, [BUSY]);
  await assert.rejects(client.openQuarantine("sha256:ab", "found in an incident"), { code: "unavailable" });
  await assert.rejects(client.createToken({ name: "ci", roles: ["uploader"] }), { code: "unavailable" });
  assert.equal(asked.length, 2);
});

test("nobody is made to wait for long: the refusal is passed on", async (t) => {
  const patient = { ...BUSY, headers: { ...BUSY.headers, "retry-after": "3600" } };
  const { asked, client } = await scripted(t, [patient]);
  await assert.rejects(client.readPolicies(), { code: "unavailable" });
  assert.equal(asked.length, 1);
});

test("a redirect is not followed: it could carry the token elsewhere", async (t) => {
  const { asked, client } = await scripted(t, [
    { status: 307, headers: { location: "/elsewhere" } },
    { status: 200, headers: JSON_TYPE, body: "{}" },
  ]);
  await assert.rejects(client.readPolicies(), { name: "ApiError", code: "unreachable" });
  assert.equal(asked.length, 1);
  const elsewhere = await scripted(t, [{ status: 302, headers: { location: "https://login.example/?a" } }]);
  await assert.rejects(elsewhere.client.whoAmI(), /redirects to https:\/\/login\.example: name that/);
});

test("other refusals are not tried again", async (t) => {
  const forbidden = { ...BUSY, status: 403, body: JSON.stringify({ code: "forbidden", detail: "No" }) };
  const { asked, client } = await scripted(t, [forbidden]);
  await assert.rejects(client.readPolicies(), { code: "forbidden" });
  assert.equal(asked.length, 1);
});

const strangers: { name: string; answer: Scripted; code: string }[] = [
  {
    name: "a page of another server",
    answer: { status: 404, headers: { "content-type": "text/html" }, body: "<h1>nothing here</h1>" },
    code: "unexpected-answer",
  },
  {
    name: "a problem with a code that nobody promised",
    answer: { status: 400, headers: BUSY.headers ?? {}, body: JSON.stringify({ code: "toString" }) },
    code: "unexpected-answer",
  },
  {
    name: "success that is not JSON",
    answer: { status: 200, headers: JSON_TYPE, body: "{" },
    code: "unexpected-answer",
  },
  {
    name: "an answer that is cut short",
    answer: { status: 200, headers: { ...JSON_TYPE, "content-length": "100" }, body: "{", cutShort: true },
    code: "unreachable",
  },
];
for (const { name, answer, code } of strangers) {
  test(`${name} is ${code}`, async (t) => {
    const { client } = await scripted(t, [answer]);
    await assert.rejects(client.readPolicies(), { name: "ApiError", code });
  });
}

test("an ended client asks nothing more, and waits for no further try", async (t) => {
  const ending = new AbortController();
  const { client, asked } = await scripted(t, [{ status: 503, headers: { "retry-after": "15" } }], {
    signal: ending.signal,
  });
  const at = performance.now();
  const reading = client.readPolicies();
  setTimeout(() => ending.abort(), 100);
  await assert.rejects(reading, { name: "ApiError", code: "unreachable" });
  assert.equal(asked.length, 1);
  assert.ok(performance.now() - at < 5000, `${performance.now() - at} ms`);
});

test("a server that does not answer in time is unreachable, and so is one that is not there", async (t) => {
  const { client, url } = await scripted(t, [], { timeout: 50 });
  await assert.rejects(client.health(), { name: "ApiError", code: "unreachable" });
  const elsewhere = new URL(url);
  elsewhere.port = "1";
  await assert.rejects(createClient({ server: `${elsewhere}` }).health(), {
    code: "unreachable",
    status: undefined,
  });
});

test("a simulation is followed line by line, and its last line is what came of it", async (t) => {
  const lines = (...values: object[]) => {
    return {
      status: 200,
      headers: LINES_TYPE,
      body: values.map((value) => `${JSON.stringify(value)}\n`).join(""),
    };
  };
  const progress = { case: "progress", attestations: 1, of: 2 };
  const problem = { code: "unavailable", status: 503, title: "Busy", detail: "The database is away" };
  const { client } = await scripted(t, [
    BUSY,
    lines(progress, { case: "result", result: { artifacts: 2 } }),
    lines(progress, { case: "problem", problem }),
    lines(progress),
    { status: 200, headers: LINES_TYPE, body: "what?\n" },
    { ...lines(progress, progress), cutShort: true },
  ]);
  const seen: object[] = [];
  const simulate = () => client.simulatePolicies({ documents: [] }, (one) => seen.push(one));
  assert.deepEqual(await simulate(), { artifacts: 2 });
  assert.deepEqual(seen, [progress]);
  await assert.rejects(simulate(), { code: "unavailable", message: "The database is away" });
  await assert.rejects(simulate(), { code: "unreachable" });
  await assert.rejects(simulate(), { code: "unexpected-answer" });
  await assert.rejects(simulate(), { code: "unreachable" });
});
