import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type MetricsEndpoint, openMetricsEndpoint } from "../../src/http/metrics-endpoint.ts";
import { openReleaseHouse, type ReleaseHouse } from "../services/release-node.ts";
import { fails, succeeds } from "./calls.ts";
import type { TestNode } from "./node.ts";
import { signRelease, tampered } from "./release.ts";

/** Samples by name and labels, as Prometheus' text format has them (exposition_formats.md, 0.0.4). */
type Samples = ReadonlyMap<string, number>;

describe("the metrics of a node", () => {
  let house: ReleaseHouse;
  let node: TestNode;
  let endpoint: MetricsEndpoint;
  let issuer: string;
  let uploader: string;
  before(async () => {
    house = await openReleaseHouse();
    node = await house.open({ VOUCHSAFE_METRICS_PORT: "0" });
    endpoint = await openMetricsEndpoint(node.v, { host: "127.0.0.1", port: 0 });
    issuer = await node.token(["issuer"], { policies: ["release"] });
    uploader = await node.token(["uploader"]);
  });
  after(async () => {
    await endpoint.close();
    await house.close();
  });

  async function scrape(): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${endpoint.port}/metrics`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    return answer.text();
  }

  async function samples(): Promise<Samples> {
    const lines = (await scrape()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]),
    );
  }

  const ask = (digest: string) =>
    succeeds(node.app, 200, "GET /verify-digest", { as: issuer, query: { digest } });

  test("count what was pushed, refused, decided and answered", async () => {
    const { digest, bundle } = await signRelease(house.sigstore);
    await ask(digest);
    await succeeds(node.app, 201, "POST /attestations", { as: uploader, bytes: bundle });
    await fails(node.app, "log-entry-invalid", "POST /attestations", {
      as: uploader,
      bytes: tampered(bundle),
    });
    await ask(digest);
    await ask(digest);
    await ask(digest);
    await succeeds(node.app, 201, "POST /quarantines", {
      as: await node.token(["operator"]),
      json: { target: { artifact: digest }, reason: "a test" },
    });
    await ask(digest);

    const now = await samples();
    const expected = {
      'vouchsafe_operation_duration_seconds_count{operation="push",outcome="ok"}': 1,
      'vouchsafe_operation_duration_seconds_count{operation="push",outcome="log-entry-invalid"}': 1,
      'vouchsafe_verifications_total{outcome="verified",format="application/vnd.dev.sigstore.bundle.v0.3+json"}': 1,
      'vouchsafe_verifications_total{outcome="log-entry-invalid",format="unknown"}': 1,
      'vouchsafe_decisions_total{outcome="no-verdict",kept="false"}': 1,
      'vouchsafe_decisions_total{outcome="allow",kept="false"}': 1,
      'vouchsafe_decisions_total{outcome="allow",kept="true"}': 2,
      'vouchsafe_decisions_total{outcome="quarantined",kept="false"}': 1,
      'vouchsafe_http_requests_total{method="GET",route="/verify-digest",status="200"}': 5,
      'vouchsafe_http_requests_total{method="POST",route="/attestations",status="422"}': 1,
      'vouchsafe_http_request_duration_seconds_count{method="GET",route="/verify-digest"}': 5,
      vouchsafe_ready: 1,
      vouchsafe_writer_waiting_proposals: 0,
      'vouchsafe_verifier_evidence{state="waiting"}': 0,
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(now.get(name), value, name);
    assert.equal(now.get("vouchsafe_log_size"), node.v.projection.size);
    assert.equal(now.get("vouchsafe_log_followed_size"), node.v.projection.size);
    assert.ok((now.get("vouchsafe_commit_events_sum") ?? 0) > 0);
    assert.ok((now.get('vouchsafe_projection_looks_total{result="hit"}') ?? 0) >= 2);
  });

  test("leave out what cannot be said, and say when an authority ends", async () => {
    const now = await samples();
    for (const absent of ["vouchsafe_log_witnessed_size", "vouchsafe_policies_last_reload_success"])
      assert.equal(now.has(absent), false, absent);
    const ends = [...now].filter(([name]) =>
      name.startsWith("vouchsafe_authority_expiry_timestamp_seconds{"),
    );
    assert.equal(ends.length, 1);
    assert.ok((ends[0]?.[1] ?? 0) > Date.now() / 1000);
  });

  test("are named as Prometheus has it, and name no digest, project, token or raw path", async () => {
    const { digest } = await signRelease(house.sigstore);
    await succeeds(node.app, 404, "GET /artifacts/:digest", {
      as: await node.token(["auditor"]),
      params: { digest },
    });
    const text = await scrape();
    const kinds = new Map(
      [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", kind = ""]) => [name, kind]),
    );
    const ours = [...kinds].filter(([name]) => name.startsWith("vouchsafe_"));
    assert.ok(ours.length > 20);
    for (const [name, kind] of ours) {
      assert.equal(name.endsWith("_total"), kind === "counter", name);
      assert.doesNotMatch(name, /milli|_ms$|kib|percent/);
      assert.match(text, new RegExp(`^# HELP ${name} .+$`, "m"));
      if (kind === "histogram") assert.match(name, /_(seconds|events)$/);
    }
    assert.match(text, /route="\/artifacts\/:digest"/);
    for (const secret of [digest.slice(7), node.v.project, issuer]) assert.ok(!text.includes(secret));
    // An authority is named by its key, which is in the trust bundle.
    assert.doesNotMatch(text.replaceAll(/^vouchsafe_authority_.*$/gm, ""), /sha256/);
  });

  test("count what no route has under one name, and never by its path", async () => {
    const unknown = 'vouchsafe_http_requests_total{method="any",route="unknown",status=';
    const before = await samples();
    for (const url of ["/nowhere", "/wp-login.php?a=1", "/artifacts/x/y/z"])
      assert.equal((await node.app.inject(url)).statusCode, 404);
    assert.equal((await node.app.inject({ method: "PUT", url: "/policies" })).statusCode, 405);
    const now = await samples();
    assert.equal(now.get(`${unknown}"404"}`), (before.get(`${unknown}"404"}`) ?? 0) + 3);
    assert.equal(now.get(`${unknown}"405"}`), 1);
    assert.doesNotMatch(await scrape(), /nowhere|wp-login/);
  });

  test("are there at one path alone, and nowhere among the doors", async () => {
    const url = `http://127.0.0.1:${endpoint.port}`;
    assert.equal((await fetch(`${url}/`)).status, 404);
    assert.equal((await fetch(`${url}/metrics`, { method: "POST" })).status, 405);
    assert.equal((await node.app.inject("/metrics")).statusCode, 404);
  });
});
