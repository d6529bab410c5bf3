import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { connect as connectHttp2, type OutgoingHttpHeaders } from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { validateJwtSvid } from "../../src/identity/jwt-svid.ts";
import { validateX509Svid } from "../../src/identity/x509-validation.ts";
import { type Agent, type AgentLogEntry, openAgent } from "../../src/workload/agent.ts";
import { digestsOf } from "../../src/workload/attested-workload.ts";
import { buildExecutable, type Executable, tamperedCopy } from "./executable.ts";
import { type LocalSource, openLocalSource } from "./local-source.ts";
import { type Ask, ask, type Line, startWorkload } from "./run-workload.ts";

const INVALID_ARGUMENT = 3;
const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;

describe("the Workload API on a socket", {
  skip: process.platform !== "linux" && "only Linux attests",
}, () => {
  let directory: string;
  let socket: string;
  let widget: Executable;
  let source: LocalSource;
  let agent: Agent;
  const log: AgentLogEntry[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-agent-"));
    await chmod(directory, 0o755);
    socket = join(directory, "run", "agent.sock");
    widget = await buildExecutable(directory);
    source = await openLocalSource();
    source.approve(widget.digest);
    agent = await openAgent({ socketPath: socket, source, log: (entry) => log.push(entry) });
  });
  after(async () => {
    await agent.close();
    await source.remove();
    await rm(directory, { recursive: true, force: true });
  });

  const call = (method: string, more: Partial<Ask> = {}) =>
    ask({ executable: widget.path, socket, method, ...more });
  const start = (method: string, more: Partial<Ask> = {}) =>
    startWorkload({ executable: widget.path, socket, method, ...more });

  test("gives an approved executable an X.509-SVID, its key and the bundle", async () => {
    const { answer } = await call("FetchX509SVID");
    const [svid] = answer.svids;
    const chain = [Buffer.from(svid.x509_svid, "base64")];
    const held = validateX509Svid(chain, await source.bundle(), Date.now());
    assert.equal(svid.spiffe_id, held.spiffeId);
    assert.deepEqual(held.grounds?.digests, [widget.digest]);
    const key = createPrivateKey({
      key: Buffer.from(svid.x509_svid_key, "base64"),
      format: "der",
      type: "pkcs8",
    });
    assert.ok(new X509Certificate(chain[0] as Buffer).checkPrivateKey(key));
    assert.deepEqual(svid.bundle, rootOf(await source.bundle()));
    const selectors = source.asked.at(-1)?.selectors ?? [];
    const own = [`unix:uid:${process.getuid?.()}`, `unix:${widget.digest}`, `unix:path:${widget.path}`];
    for (const selector of own) assert.ok(selectors.includes(selector), selector);
  });

  test("gives JWT-SVIDs, and validates them for their audience alone", async () => {
    const { answer } = await call("FetchJWTSVID", { request: { audience: ["db"] } });
    const [{ svid, spiffe_id }] = answer.svids;
    assert.equal(validateJwtSvid(svid, await source.bundle(), "db", Date.now()).spiffeId, spiffe_id);
    const validated = await call("ValidateJWTSVID", { request: { audience: "db", svid } });
    assert.equal(validated.answer.spiffe_id, spiffe_id);
    assert.equal(validated.answer.claims.fields.sub.stringValue, spiffe_id);
    const other = await call("ValidateJWTSVID", { request: { audience: "queue", svid } });
    assert.equal(other.code, INVALID_ARGUMENT);
  });

  test("hands out bundles", async () => {
    const bundle = await source.bundle();
    const x509 = await call("FetchX509Bundles");
    assert.deepEqual(x509.answer.bundles, { "spiffe://test.example": rootOf(bundle) });
    const jwt = await call("FetchJWTBundles");
    const document = Buffer.from(jwt.answer.bundles["spiffe://test.example"], "base64").toString();
    assert.deepEqual(
      (JSON.parse(document) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid),
      [...bundle.jwtAuthorities.keys()],
    );
  });

  test("refuses one byte more, and an interpreter, whatever is approved of it", async () => {
    const tampered = await tamperedCopy(widget, "tampered");
    const refused = await call("FetchX509SVID", { executable: tampered.path });
    assertDenied(refused, "not-approved");
    assert.deepEqual(source.asked.at(-1)?.components.executable, [tampered.digest]);

    assertDenied(await call("FetchX509SVID", { executable: process.execPath }), "interpreter");
    assertDenied(
      await call("FetchJWTSVID", { executable: process.execPath, request: { audience: ["db"] } }),
      "interpreter",
    );
    assert.deepEqual(source.asked.at(-1)?.components, {}, "an interpreter was attested as what runs");
  });

  for (const [what, method, more, code] of [
    ["a call without the security header", "FetchX509SVID", { metadata: {} }, INVALID_ARGUMENT],
    ["no audience", "FetchJWTSVID", { request: { audience: [] } }, INVALID_ARGUMENT],
    ["an empty audience", "FetchJWTSVID", { request: { audience: [""] } }, INVALID_ARGUMENT],
    [
      "a SPIFFE ID that is none",
      "FetchJWTSVID",
      { request: { audience: ["a"], spiffe_id: "spiffe://t/../x" } },
      INVALID_ARGUMENT,
    ],
    [
      "a JWT-SVID that is none",
      "ValidateJWTSVID",
      { request: { audience: "a", svid: "x" } },
      INVALID_ARGUMENT,
    ],
  ] as const) {
    test(`refuses ${what}`, async () => {
      assert.equal((await call(method, more)).code, code);
    });
  }

  test("tells a live stream of a quarantine at once, and grants nothing after", async () => {
    const copy = await tamperedCopy(widget, "quarantined");
    source.approve(copy.digest);
    const workload = start("FetchX509SVID", { executable: copy.path });
    try {
      assert.ok((await workload.next()).answer);
      const granted = source.granted.length;
      const at = performance.now();
      source.quarantine(copy.digest);
      assertDenied(await workload.next(), "quarantined no-verdict");
      // A second, where the machine is not busy. What is asserted is that it was told, and did not have to ask.
      assert.ok(performance.now() - at < 10_000, `${performance.now() - at} ms`);
      assert.equal(source.granted.length, granted);
      assertDenied(await call("FetchX509SVID", { executable: copy.path }), "quarantined");
      assert.ok(log.some((entry) => entry.event === "refused" && entry.reason.includes("quarantined")));
    } finally {
      await workload.stop();
    }
  });

  test("gives a stream whose digest is touched a new SVID in the place of the old, and leaves others alone", async () => {
    const copy = await tamperedCopy(widget, "touched");
    source.approve(copy.digest);
    const touched = start("FetchX509SVID", { executable: copy.path });
    const other = start("FetchX509SVID");
    try {
      const first = await touched.next();
      await other.next();
      const granted = source.granted.length;
      source.touch(copy.digest);
      const second = await touched.next();
      assert.notEqual(first.answer.svids[0].x509_svid, second.answer.svids[0].x509_svid);
      assert.notEqual(first.answer.svids[0].x509_svid_key, second.answer.svids[0].x509_svid_key);
      const [before] = source.granted.filter(({ workload }) => digestsOf(workload)[0] === copy.digest);
      assert.deepEqual(source.granted.at(-1)?.renews, [before?.serial]);
      assert.equal(source.granted.length, granted + 1);
    } finally {
      await touched.stop();
      await other.stop();
    }
  });

  test("answers while the source is away what it was given, or else Unavailable, and again once it is back", async () => {
    const copy = await tamperedCopy(widget, "away");
    source.approve(copy.digest);
    const held = await call("FetchX509SVID");
    const token = await call("FetchJWTSVID", { request: { audience: ["away"] } });
    source.goAway(true);
    try {
      assert.equal((await call("FetchX509SVID", { executable: copy.path })).code, UNAVAILABLE);
      // What a process was given that is attested to be the same.
      assert.deepEqual(await call("FetchX509SVID"), held);
      assert.deepEqual(await call("FetchJWTSVID", { request: { audience: ["away"] } }), token);
    } finally {
      source.goAway(false);
    }
    assert.ok((await call("FetchX509SVID", { executable: copy.path })).answer);
  });

  test("lives through what is no call, and takes the authority that gRPC's C core sends", async () => {
    for (const [headers, status] of [
      [{ ":authority": "tmp%2Fagent.sock" }, "200"],
      [{ ":path": "/nowhere" }, "404"],
      [{ ":method": "PUT" }, "405"],
      [{ "content-type": "text/plain" }, "415"],
    ] as const) {
      assert.equal(await rawStatus(socket, headers), status, JSON.stringify(headers));
    }
    const noise = connect(socket);
    noise.end("GET / HTTP/1.1\r\n\r\n");
    await once(noise.resume(), "close");
    assert.ok((await call("FetchX509SVID")).answer);
  });

  test("is open to every user, and takes the place of a socket that was left behind, but of nothing else", async () => {
    assert.equal((await stat(socket)).mode & 0o777, 0o666);
    const options = { source, log: () => {} };
    await assert.rejects(openAgent({ ...options, socketPath: socket }), { code: "configuration-invalid" });
    const file = join(directory, "file");
    await writeFile(file, "");
    await assert.rejects(openAgent({ ...options, socketPath: file }), { code: "configuration-invalid" });
    const below = join(file, "agent.sock");
    await assert.rejects(openAgent({ ...options, socketPath: below }), { code: "configuration-invalid" });
    const tooLong = join(directory, "s".repeat(120));
    await assert.rejects(openAgent({ ...options, socketPath: tooLong }), { code: "configuration-invalid" });
  });
});

function assertDenied(line: Line, reason: string): void {
  assert.equal(line.code, PERMISSION_DENIED, JSON.stringify(line));
  assert.match(line.details, new RegExp(`\\(.*${reason}.*\\)$`));
}

/** The HTTP status of a request that no gRPC library would send. */
async function rawStatus(socket: string, headers: OutgoingHttpHeaders): Promise<string> {
  const session = connectHttp2("http://localhost", { createConnection: () => connect(socket) });
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": "/SpiffeWorkloadAPI/FetchX509Bundles",
      "content-type": "application/grpc",
      "workload.spiffe.io": "true",
      ...headers,
    });
    stream.end(Buffer.alloc(5));
    const [answer] = await once(stream, "response");
    return String(answer[":status"]);
  } finally {
    session.destroy();
  }
}

function rootOf({ x509Authorities }: Awaited<ReturnType<LocalSource["bundle"]>>): string {
  return Buffer.concat(x509Authorities.map(({ der }) => der)).toString("base64");
}
