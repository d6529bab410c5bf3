import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { gzipSync } from "node:zlib";
import { type ErrorCode, hasCode } from "../../src/errors.ts";
import { askOnce } from "../../src/outbound/ask-once.ts";
import { fetchOutbound, type OutboundOptions } from "../../src/outbound/fetch-outbound.ts";
import { PUBLIC_ONLY, readOutboundRules } from "../../src/outbound/rules.ts";
import { serveBundles, webCertificate } from "../services/federation/bundle-server.ts";
import { serveLocally } from "../support/local-server.ts";

const HERE = readOutboundRules(["127.0.0.0/8"]).rules;
const OPTIONS: OutboundOptions = { rules: HERE, accept: "*/*", maxBytes: 1000, timeout: 5000 };

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  return `http://${await serveLocally(t, listener)}`;
}

async function rude(t: TestContext, onConnection: (socket: Socket) => void): Promise<string> {
  const server = createServer(onConnection);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return `http://127.0.0.1:${address.port}`;
}

async function refuses(url: string, code: ErrorCode, options: Partial<OutboundOptions> = {}): Promise<void> {
  await assert.rejects(
    fetchOutbound(url, { ...OPTIONS, ...options }),
    (error) => hasCode(error, code),
    url.slice(0, 100),
  );
}

test("a host is told nothing but what is asked: not who asks, nor of which trace it is a part", async (t) => {
  const seen: string[][] = [];
  const base = await serve(t, (request, response) => {
    seen.push(Object.keys(request.headers).sort());
    response.end();
  });
  await fetchOutbound(base, OPTIONS);
  assert.deepEqual(seen, [["accept", "accept-encoding", "connection", "host", "user-agent"]]);
});

test("an answer comes with its status, type, headers and bytes", async (t) => {
  const base = await serve(t, (request, response) => {
    const asked = [request.headers.accept, request.headers.authorization, request.headers["accept-encoding"]];
    response.writeHead(404, { "content-type": "Text/JSON; charset=utf-8", link: "<x>" });
    response.end(asked.join());
  });
  const answer = await fetchOutbound(`${base}/a?b`, {
    ...OPTIONS,
    accept: "text/json",
    authorization: "Bearer t",
  });
  assert.deepEqual(
    [
      answer.status,
      answer.mediaType,
      answer.headers.link,
      Buffer.from(answer.bytes).toString(),
      answer.url.href,
    ],
    [404, "text/json", "<x>", "text/json,Bearer t,identity", `${base}/a?b`],
  );
});

test("what is not public https is refused without being asked", async () => {
  const rules = PUBLIC_ONLY;
  for (const url of [
    "https://127.0.0.1/",
    "https://localhost/",
    "https://0x7f.1/",
    "https://2130706433/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://localhost./",
    "http://1.1.1.1/",
    "https://1.1.1.1:22/",
    "https://user:secret@1.1.1.1/",
    "https://user@1.1.1.1/",
    "ftp://1.1.1.1/",
    "file:///etc/passwd",
    "data:,x",
    "not a url",
    `https://1.1.1.1/${"x".repeat(9000)}`,
  ])
    await refuses(url, "outbound-refused", { rules });
  await refuses("https://name.invalid/", "outbound-failed", { rules });
});

test("redirects are followed three times, judged anew, and credentials stay where they belong", async (t) => {
  const seen: (string | undefined)[] = [];
  const other = await serve(t, (request, response) => {
    seen.push(request.headers.authorization);
    response.end("there");
  });
  const base = await serve(t, (request, response) => {
    const [, to = ""] = /^\/to\?(.*)$/.exec(request.url ?? "") ?? [];
    const [, count] = /^\/count\/([0-9]+)$/.exec(request.url ?? "") ?? [];
    if (count !== undefined && Number(count) > 0)
      return response.writeHead(307, { location: `/count/${Number(count) - 1}` }).end();
    if (to !== "") return response.writeHead(302, { location: decodeURIComponent(to) }).end();
    response.end(request.headers.authorization ?? "none");
  });
  const authorization = "Bearer secret";
  const told = async (path: string) =>
    Buffer.from((await fetchOutbound(base + path, { ...OPTIONS, authorization })).bytes).toString();
  assert.equal(await told("/count/3"), authorization);
  await refuses(`${base}/count/4`, "outbound-failed");
  assert.equal(await told(`/to?${encodeURIComponent(other)}`), "there");
  assert.deepEqual(seen, [undefined], "another origin gets no credentials");
  // Back at its own origin they would be sent to whatever path the other one chose.
  const back = await serve(t, (_request, response) =>
    response.writeHead(302, { location: `${base}/end` }).end(),
  );
  assert.equal(await told(`/to?${encodeURIComponent(back)}`), "none");

  for (const to of ["https://169.254.169.254/", "http://[::1]:80/", "http://1.1.1.1/", "file:///etc/passwd"])
    await refuses(`${base}/to?${encodeURIComponent(to)}`, "outbound-refused");
  await refuses(`${base}/to?${encodeURIComponent("http://")}`, "outbound-failed");
});

test("answers are bounded in size, however they are packed", async (t) => {
  const base = await serve(t, (request, response) => {
    if (request.url === "/endless") {
      const send = () => void (response.write("x".repeat(1000)) && setImmediate(send));
      response.on("drain", send);
      return send();
    }
    if (request.url === "/headers") return response.setHeader("x", "x".repeat(20_000)).end();
    const bytes = request.url === "/bomb" ? gzipSync(Buffer.alloc(100_000)) : gzipSync("small");
    const encoding = request.url === "/br" ? "br" : "gzip";
    response.writeHead(200, { "content-encoding": encoding }).end(request.url === "/not" ? "small" : bytes);
  });
  const small = await fetchOutbound(`${base}/small`, OPTIONS);
  assert.equal(Buffer.from(small.bytes).toString(), "small");
  for (const path of ["/endless", "/bomb", "/headers", "/br", "/not"])
    await refuses(base + path, "outbound-failed");
});

test("answers are bounded in time, and asking can be given up", async (t) => {
  const base = await serve(t, (request, response) => {
    if (request.url !== "/slow") return;
    const timer = setInterval(() => response.write("x"), 20);
    response.on("close", () => clearInterval(timer));
  });
  await refuses(`${base}/slow`, "outbound-failed", { timeout: 200, maxBytes: 1e9 });
  await refuses(`${base}/silent`, "outbound-failed", { timeout: 200 });
  await refuses(`${base}/silent`, "outbound-failed", { signal: AbortSignal.timeout(100) });
});

test("a connection goes to the address that was judged, whatever its name leads to by then", async (t) => {
  const url = new URL(await serve(t, (request, response) => response.end(request.headers.host)));
  url.hostname = "name.invalid";
  const checked = { url, addresses: [{ address: "127.0.0.1", family: 4 }] };
  const ask = { accept: "*/*", authorization: undefined, maxBytes: 1000, signal: AbortSignal.timeout(5000) };
  const { bytes } = await askOnce(checked, ask);
  assert.equal(Buffer.from(bytes).toString(), url.host);
});

test("what does not speak HTTP fails", async (t) => {
  const ssh = await rude(t, (socket) => socket.on("error", () => {}).end("SSH-2.0-OpenSSH_9.6\r\n"));
  await refuses(ssh, "outbound-failed");
  await refuses(await rude(t, (socket) => socket.on("error", () => {}).end()), "outbound-failed");
  const breaksOff = await rude(t, (socket) => {
    socket
      .on("error", () => {})
      .write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", () =>
        setTimeout(() => socket.resetAndDestroy(), 20),
      );
  });
  await refuses(breaksOff, "outbound-failed");
});

test("a server by TLS is who its URL names, by a certificate that is believed", async (t) => {
  const { root, ...shown } = webCertificate();
  const server = await serveBundles(shown, (response) => response.end("here"));
  t.after(() => server.close());
  const rules = readOutboundRules(["127.0.0.1", "localhost"]).rules;
  await refuses(server.url, "outbound-failed", { rules });
  const before = getCACertificates("default");
  t.after(() => setDefaultCACertificates(before));
  setDefaultCACertificates([...before, root]);
  assert.equal(
    Buffer.from((await fetchOutbound(server.url, { ...OPTIONS, rules })).bytes).toString(),
    "here",
  );
  await refuses(server.url.replace("127.0.0.1", "localhost"), "outbound-failed", { rules });
  assert.equal(server.requests(), 1);
  await refuses(server.url, "outbound-refused", { rules: PUBLIC_ONLY });
});
