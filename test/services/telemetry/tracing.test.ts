import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createLog } from "../../../src/log.ts";
import { openTracing, type Tracing } from "../../../src/services/telemetry/tracing.ts";
import { signRelease, tampered } from "../../http/release.ts";
import { openReleaseHouse, type ReleaseHouse } from "../release-node.ts";

/** A span as OTLP/HTTP has it in JSON (opentelemetry-proto, trace.proto). */
interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly links?: readonly { readonly spanId: string }[];
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
  readonly status: { readonly code?: number };
}

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const SERVER = 2;

test("nobody traces where the environment asks for none, and an unknown sampler is refused", async () => {
  const endpoint = "http://127.0.0.1:4318";
  for (const env of [
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: "" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_EXPORTER: "none" },
    { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SDK_DISABLED: "true" },
  ])
    assert.equal(await openTracing(env), undefined);
  for (const wrong of [
    { OTEL_TRACES_SAMPLER: "often" },
    { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" },
  ])
    await assert.rejects(openTracing({ OTEL_TRACES_EXPORTER: "otlp", ...wrong }), {
      code: "configuration-invalid",
    });
});

async function* inHalves(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body.subarray(0, body.length / 2);
  await sleep(50);
  yield body.subarray(body.length / 2);
}

describe("traces at a collector", () => {
  const bodies: string[] = [];
  let collector: Server;
  let house: ReleaseHouse;
  let tracing: Tracing | undefined;
  before(async () => {
    collector = createServer(async (request, response) => {
      assert.equal(request.url, "/v1/traces");
      bodies.push(await text(request));
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    }).listen(0, "127.0.0.1");
    await once(collector, "listening");
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    process.env.OTEL_SERVICE_NAME = "vouchsafe-test";
    tracing = await openTracing(process.env);
    house = await openReleaseHouse();
  });
  after(async () => {
    await house.close();
    collector.close();
    collector.closeAllConnections();
    delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
    delete process.env.OTEL_SERVICE_NAME;
  });

  test("a push is one trace, a part of its caller's, down to the commit that is linked with it; logs name it, and nothing of the caller's is in it", async () => {
    const lines: string[] = [];
    const logger = createLog({
      level: "info",
      write: (line) => void lines.push(line),
      context: () => tracing?.ids(),
    });
    const node = await house.open({}, { tracing, logger });
    const origin = await node.app.listen({ host: "127.0.0.1", port: 0 });
    const token = await node.token(["uploader", "auditor", "operator"]);
    const { digest, bundle } = await signRelease(house.sigstore);
    const send = async (path: string, body?: Uint8Array, traceparent = `00-${TRACE}-${PARENT}-01`) => {
      const answer = await fetch(`${origin}${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: { authorization: `Bearer ${token}`, traceparent, "content-type": "application/json" },
        // The second half comes by itself, by an event of the connection: the request's span must still be there.
        ...(body !== undefined && { body: inHalves(body), duplex: "half" as const }),
      });
      await answer.text();
      return answer.status;
    };
    assert.equal(await send("/attestations", bundle), 201);
    assert.equal(await send("/attestations", tampered(bundle), "00-garbage"), 422);
    assert.equal(await send(`/artifacts/${digest}`), 200);
    const quarantine = { target: { artifact: digest }, reason: "a test" };
    assert.equal(await send("/quarantines", Buffer.from(JSON.stringify(quarantine))), 201);
    node.v.obstacles.set("test", Object.assign(new Error("a test's"), { code: "unavailable" }) as never);
    assert.equal(await send("/readyz"), 500);
    // A request's span ends with its connection's event, after the answer was read.
    await sleep(50);
    await tracing?.close();

    const payloads = bodies.map((body) => JSON.parse(body));
    const spans: OtlpSpan[] = payloads.flatMap(({ resourceSpans }) =>
      resourceSpans.flatMap(({ scopeSpans }: { scopeSpans: { spans: OtlpSpan[] }[] }) =>
        scopeSpans.flatMap((one) => one.spans),
      ),
    );
    assert.match(bodies.join(""), /"service\.name","value":\{"stringValue":"vouchsafe-test"\}/);
    const named = (name: string, of = spans) =>
      of.find((span) => span.name === name) ?? assert.fail(`no ${name}: ${spans.map((one) => one.name)}`);
    const mine = spans.filter(({ traceId }) => traceId === TRACE);
    const request = named("POST /attestations", mine);
    assert.deepEqual([request.parentSpanId, request.kind], [PARENT, SERVER]);
    const attributes = Object.fromEntries(
      request.attributes.map(({ key, value }) => [key, Object.values(value)[0]]),
    );
    assert.deepEqual(attributes, {
      "http.request.method": "POST",
      "http.route": "/attestations",
      "http.response.status_code": 201,
    });
    const push = named("push", mine);
    assert.equal(push.parentSpanId, request.spanId);
    for (const step of ["verify", "judge", "append"])
      assert.equal(named(step, mine).parentSpanId, push.spanId, step);
    const commit = spans.find(
      ({ name, links = [] }) =>
        name === "commit" && links.some(({ spanId }) => spanId === named("append", mine).spanId),
    );
    assert.ok(commit && commit.traceId !== TRACE);

    const quarantined = named("POST /quarantines", mine).spanId;
    assert.ok(mine.some(({ name, parentSpanId }) => name === "append" && parentSpanId === quarantined));

    // What is malformed is no trace: the refused push began one of its own.
    const refused = spans.filter(({ name, traceId }) => name === "push" && traceId !== TRACE);
    assert.deepEqual(
      refused.map(({ attributes, status }) => [attributes, status.code ?? 0]),
      [[[{ key: "error.type", value: { stringValue: "log-entry-invalid" } }], 0]],
    );
    assert.equal(named("GET /artifacts/:digest", mine).parentSpanId, PARENT);
    const failed = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === "request failed");
    assert.deepEqual([failed?.traceId, failed?.spanId], [TRACE, named("GET /readyz", mine).spanId]);
    const told = bodies.join("");
    for (const secret of [token, digest.slice(7), node.v.project]) assert.ok(!told.includes(secret));
  });
});
