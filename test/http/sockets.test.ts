import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import type { ErrorCode } from "../../src/errors.ts";
import { openNode, type TestNode } from "./node.ts";

let node: TestNode;
let port: number;
before(async () => {
  node = await openNode();
  await node.app.listen({ host: "127.0.0.1", port: 0 });
  port = (node.app.server.address() as AddressInfo).port;
});
after(() => node.close());

const GET = "GET /healthz HTTP/1.1\r\nHost: x\r\n";
const notHttp: [name: string, bytes: string, code: ErrorCode, status: number][] = [
  ["bytes that are not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "invalid-request", 400],
  ["a request line that is not one", "GARBAGE\r\n\r\n", "invalid-request", 400],
  ["headers of 30 kB", `${GET}A: ${"a".repeat(30_000)}\r\n\r\n`, "headers-too-large", 431],
  ["a header with a line break in it", `${GET}A: b\rC: d\r\n\r\n`, "invalid-request", 400],
  [
    "a request that names no host",
    "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",
    "invalid-request",
    400,
  ],
  ["an expectation that nobody meets", `${GET}Expect: a-miracle\r\n\r\n`, "invalid-request", 400],
  [
    "two lengths at once (request smuggling)",
    "POST /quarantines HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "invalid-request",
    400,
  ],
];
for (const [name, bytes, code, status] of notHttp) {
  test(`${name}: ${code}, and the connection ends`, async () => {
    const answer = await exchange(bytes);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.match(answer, /\r\nContent-Type: application\/problem\+json\r\n/i);
    assert.equal(JSON.parse(/\{.*\}/s.exec(answer)?.[0] ?? "{}").code, code);
  });
}

test("a client that goes on sending a body that is too large still reads why", async () => {
  const token = await node.token(["uploader"]);
  const answer = await fetch(`http://127.0.0.1:${port}/attestations`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: Buffer.alloc(20 * 1024 * 1024, "["),
  });
  assert.equal(answer.status, 413);
  assert.equal(((await answer.json()) as { code: string }).code, "body-too-large");
  // Closed, the connection would be reset on a client that is still sending: often before it has read the answer.
  assert.notEqual(answer.headers.get("connection"), "close");
});

test("evidence that is cut off on its way is refused and leaves nothing behind", async () => {
  const token = await node.token(["uploader"]);
  const size = node.v.projection.size;
  const head = `POST /attestations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n`;
  await exchange(`${head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":1}`, {
    end: true,
  });
  await node.v.projection.follow();
  assert.equal(node.v.projection.size, size);
  assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
});

/** Sends bytes and reads until the server ends the connection (or, with `end`, after having ended ours). */
async function exchange(bytes: string, options: { end?: boolean } = {}): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.setTimeout(10_000, () => socket.destroy(new Error("the server did not end the connection")));
  socket.write(bytes, "latin1");
  if (options.end) socket.end();
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  return answer;
}
