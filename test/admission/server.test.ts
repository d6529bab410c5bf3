import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type AdmissionLogEntry, type AdmissionServer, serveAdmission } from "../../src/admission/server.ts";
import { openQuarantine } from "../../src/services/incidents/quarantine.ts";
import type { TestNode } from "../http/node.ts";
import { webCertificate } from "../services/federation/bundle-server.ts";
import { release } from "../services/identities/identity-house.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../services/release-node.ts";
import { serveLocally } from "../support/local-server.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../support/postgres.ts";
import { podOf, reviewFor } from "./reviews.ts";

interface Answered {
  readonly status: number;
  readonly text: string;
  /** Of the AdmissionReview. */
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly status?: { readonly code: number; readonly message: string };
    readonly warnings?: readonly string[];
    readonly auditAnnotations: Readonly<Record<string, string>>;
  };
}

describe("the admission webhook", () => {
  let postgres: TestPostgres;
  let house: ReleaseHouse;
  let node: TestNode;
  let directory: string;
  let server: string;
  let token: string;
  let shown = webCertificate();
  const open: AdmissionServer[] = [];
  const entries: AdmissionLogEntry[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-admission-"));
    postgres = await createPostgres();
    house = await openReleaseHouse(postgres);
    node = await house.open();
    server = await node.app.listen({ host: "127.0.0.1", port: 0 });
    token = await node.token(["issuer"], { policies: ["release"] });
    await writeTls();
  });
  after(async () => {
    for (const one of open) await one.close();
    await house.close();
    await postgres.drop();
    await stopPostgres();
    await rm(directory, { recursive: true, force: true });
  });

  const file = (name: string) => join(directory, name);
  const writeTls = () =>
    Promise.all([writeFile(file("tls.crt"), shown.cert), writeFile(file("tls.key"), shown.key)]);

  async function serve(
    more: {
      server?: string;
      token?: string;
      fail?: "open" | "closed";
      policy?: string;
      clientCa?: string;
    } = {},
  ) {
    const { fail = "closed", policy, clientCa } = more;
    const serving = await serveAdmission(
      { server: { server: more.server ?? server, token: more.token ?? token }, policyOf: () => policy, fail },
      {
        host: "127.0.0.1",
        port: 0,
        tls: { cert: file("tls.crt"), key: file("tls.key"), ...(clientCa !== undefined && { clientCa }) },
        log: (entry) => entries.push(entry),
        look: 20,
      },
    );
    open.push(serving);
    return serving;
  }

  /** As the API server calls it. */
  function call(
    url: string,
    body: string | undefined,
    more: { type?: string; ca?: string; cert?: string; key?: string } = {},
  ) {
    const { type = "application/json", ca = shown.root, ...client } = more;
    return new Promise<Answered>((resolve, reject) => {
      const agent = new Agent({ ca, ...client });
      const sent = request(url, {
        agent,
        method: body === undefined ? "GET" : "POST",
        headers: body === undefined ? {} : { "content-type": type },
      });
      sent.on("error", reject).on("response", async (answer) => {
        let text = "";
        for await (const chunk of answer.setEncoding("utf8")) text += chunk;
        const response = text.startsWith("{") ? JSON.parse(text).response : undefined;
        resolve({ status: answer.statusCode ?? 0, text, response });
        agent.destroy();
      });
      sent.end(body);
    });
  }
  const review = (url: string, ...images: string[]) => {
    const asked = reviewFor({ kind: "/v1/Pod", object: podOf(...images) });
    return call(`${url}/admit?timeout=10s`, JSON.stringify(asked)).then((answered) => {
      assert.deepEqual([answered.status, answered.response.uid], [200, asked.request.uid]);
      return answered.response;
    });
  };

  test("lets in what the server allows, and says why where it does not; a quarantine counts at once", async () => {
    const { url } = await serve();
    const { digest } = await release(house, node);
    const unknown = `sha256:${"0".repeat(64)}`;
    const allowed = await review(url, `web@${digest}`);
    assert.deepEqual([allowed.allowed, allowed.status, allowed.warnings], [true, undefined, undefined]);
    assert.deepEqual(
      [allowed.auditAnnotations.decision, allowed.auditAnnotations.policies],
      ["allow", "release"],
    );
    assert.ok(Number(allowed.auditAnnotations["log-size"]) > 0);

    const denied = await review(url, `web@${digest}`, `db@${unknown}`);
    assert.deepEqual([denied.allowed, denied.status?.code], [false, 403]);
    assert.match(
      denied.status?.message ?? "",
      new RegExp(`^The container c1 \\(db@${unknown}\\) is denied: .*verify-digest ${unknown}`),
    );

    await openQuarantine(node.v, callerWith(node, ["operator"]), { artifact: digest, reason: "leaks" });
    const after = await review(url, `web@${digest}`);
    assert.match(after.status?.message ?? "", /Quarantine .*: leaks/);
    assert.deepEqual(entries.at(-1)?.event, "denied");
    assert.equal(JSON.stringify(entries).includes(token), false);
  });

  test("without an answer nothing runs, or by configuration everything; a mistake in the set-up lets nothing in", async () => {
    const away = "http://127.0.0.1:9";
    const image = `web@sha256:${"1".repeat(64)}`;
    const closed = await review((await serve({ server: away })).url, image);
    assert.equal(closed.allowed, false);
    assert.match(closed.status?.message ?? "", /^Vouchsafe cannot say .* cannot be reached/);
    const opened = await review((await serve({ server: away, fail: "open" })).url, image);
    assert.equal(opened.allowed, true);
    assert.match(opened.warnings?.[0] ?? "", /lets it in/);
    assert.match(opened.auditAnnotations["fail-open"] ?? "", /cannot be reached/);
    const tagged = await review((await serve({ server: away, fail: "open" })).url, "web:v1");
    assert.equal(tagged.allowed, false, "a tag is no outage");
    const misled = await review((await serve({ token: "vouchsafe_x", fail: "open" })).url, image);
    assert.equal(misled.allowed, false, "nor is a token that is none");
    const other = await review((await serve({ policy: "another", fail: "open" })).url, image);
    assert.match(other.status?.message ?? "", /may not choose the policy another/);
  });

  test("who asks too often lets nothing in by that", async (t) => {
    const problem = JSON.stringify({ type: "about:blank", title: "t", status: 429, code: "rate-limited" });
    const limiting = await serveLocally(t, (_, response) => {
      response.writeHead(429, { "content-type": "application/problem+json", "retry-after": "60" });
      response.end(problem);
    });
    const { url } = await serve({ server: `http://${limiting}`, fail: "open" });
    assert.equal((await review(url, `web@sha256:${"1".repeat(64)}`)).allowed, false);
  });

  test("a server that hangs is waited for within the deadline alone", async (t) => {
    const { createServer } = await import("node:http");
    const hanging = createServer(() => {}).listen(0, "127.0.0.1");
    await once(hanging, "listening");
    t.after(() => {
      hanging.closeAllConnections();
      hanging.close();
    });
    const { port } = hanging.address() as { port: number };
    const { url } = await serve({ server: `http://127.0.0.1:${port}` });
    const asked = reviewFor({ kind: "/v1/Pod", object: podOf(`web@sha256:${"1".repeat(64)}`) });
    const { response } = await call(`${url}/admit?timeout=500ms`, JSON.stringify(asked));
    assert.match(response.status?.message ?? "", /did not answer in time/);
  });

  test("what is no review is refused, and the probes are answered", async () => {
    const { url } = await serve();
    for (const [path, body, more, status] of [
      ["/admit", "{}", {}, 400],
      ["/admit", "[", {}, 400],
      ["/admit", "{}", { type: "text/plain" }, 415],
      ["/admit", undefined, {}, 405],
      ["/", "{}", {}, 404],
      ["/healthz", undefined, {}, 200],
      ["/readyz", undefined, {}, 200],
    ] as const)
      assert.equal((await call(url + path, body, more)).status, status, `${path} ${body}`);
    const huge = call(`${url}/admit`, " ".repeat(9 * 1024 * 1024)).then(
      ({ status }) => status,
      ({ code }) => code,
    );
    assert.ok([413, "ECONNRESET", "EPIPE"].includes(await huge), String(await huge));
  });

  test("a client CA keeps strangers out, and lets the kubelet's probes in", async () => {
    const api = webCertificate();
    await writeFile(file("ca.crt"), api.root);
    const { url } = await serve({ clientCa: file("ca.crt") });
    const body = JSON.stringify(reviewFor({ kind: "/v1/Pod", operation: "DELETE" }));
    const stranger = webCertificate();
    assert.equal((await call(`${url}/admit`, body)).status, 403);
    assert.equal((await call(`${url}/admit`, body, { cert: stranger.cert, key: stranger.key })).status, 403);
    assert.equal((await call(`${url}/admit`, body, { cert: api.cert, key: api.key })).status, 200);
    assert.equal((await call(`${url}/readyz`, undefined)).status, 200);
  });

  test("a certificate that is renewed is served without a restart; half of one never is", async () => {
    const { url } = await serve();
    const before = shown;
    const next = webCertificate();
    await writeFile(file("tls.crt"), next.cert);
    await sleep(100);
    assert.equal((await call(`${url}/healthz`, undefined)).status, 200, "the key is not there yet");
    assert.ok(entries.some(({ event }) => event === "tls-refused"));
    shown = next;
    await writeTls();
    const answers = () =>
      call(`${url}/healthz`, undefined).then(
        ({ status }) => status === 200,
        () => false,
      );
    for (let tries = 0; !(await answers()); tries += 1) {
      assert.ok(tries < 200, "the new certificate is never served");
      await sleep(20);
    }
    await assert.rejects(call(`${url}/healthz`, undefined, { ca: before.root }), /certificate|issuer/i);
  });

  test("who begins reviews and sends no more keeps nobody from an answer", async () => {
    const { url } = await serve();
    const { digest } = await release(house, node);
    const agent = new Agent({ ca: shown.root });
    const begun = Array.from({ length: 64 }, () => {
      const headers = { "content-type": "application/json", "content-length": 100 };
      const sent = request(`${url}/admit`, { agent, method: "POST", headers });
      sent.on("error", () => {}).write("{");
      return once(sent, "finish", { signal: AbortSignal.timeout(300) }).catch(() => {});
    });
    await Promise.all(begun);
    assert.equal((await review(url, `web@${digest}`)).allowed, true);
    agent.destroy();
  });

  test("who breaks a review off writes no line, and the next one is answered", async () => {
    entries.length = 0;
    const { url } = await serve();
    for (let i = 0; i < 5; i += 1) {
      const headers = { "content-type": "application/json", "content-length": 100 };
      const sent = request(`${url}/admit`, { ca: shown.root, agent: false, method: "POST", headers });
      sent.on("error", () => {}).write("{");
      await once(sent, "finish", { signal: AbortSignal.timeout(100) }).catch(() => {});
      sent.destroy();
    }
    const { digest } = await release(house, node);
    assert.equal((await review(url, `web@${digest}`)).allowed, true);
    assert.deepEqual(
      entries.map(({ event }) => event),
      ["allowed"],
    );
  });

  test("a server that ends answers what is under way", async () => {
    const serving = await serve();
    const { digest } = await release(house, node);
    const answers = Array.from({ length: 8 }, () => review(serving.url, `web@${digest}`));
    await Promise.race(answers);
    const closed = serving.close();
    for (const answer of answers) assert.equal((await answer).allowed, true);
    await closed;
    await assert.rejects(call(`${serving.url}/healthz`, undefined), { code: "ECONNREFUSED" });
  });
});
