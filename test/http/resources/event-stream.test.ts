import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "../../../src/client/client.ts";
import type { EventsToFollow } from "../../../src/client/follow-events.ts";
import type { LoggedEvent } from "../../../src/client/log-types.ts";
import { createProject } from "../../../src/db/projects.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { createToken } from "../../../src/services/access/tokens.ts";
import type { Caller } from "../../../src/services/caller.ts";
import { createEventFeed } from "../../../src/services/custody/event-feed.ts";
import { openQuarantine } from "../../../src/services/incidents/quarantine.ts";
import { callerWith } from "../../services/release-node.ts";
import { writeAuthorityFiles } from "../../support/authority-files.ts";
import { createPostgres, settingsOf, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { openNode, type TestNode } from "../node.ts";

describe("events as they come", () => {
  let directory: string;
  let postgres: TestPostgres;
  let a: TestNode;
  let b: TestNode;
  let urls: readonly [string, string];
  let other: Caller;
  let otherToken: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-event-stream-"));
    postgres = await createPostgres();
    const shared = {
      ...settingsOf(postgres),
      ...(await writeAuthorityFiles(directory)),
      VOUCHSAFE_LOG_KEY_FILE: join(directory, "log-key.pem"),
    };
    a = await openNode(shared);
    b = await openNode(shared);
    const listen = { host: "127.0.0.1", port: 0 };
    urls = [await a.app.listen(listen), await b.app.listen(listen)];
    const { id } = await createProject(a.v.database.kysely, { id: randomUUID(), name: "acme", createdAt: 0 });
    other = { ...callerWith(a, ["operator"]), project: id };
    otherToken = (await createToken(a.v, other, { name: "acme's", roles: ["auditor"] })).token;
  });
  after(async () => {
    await a.close();
    await b.close();
    await postgres.drop();
    await stopPostgres();
    await rm(directory, { recursive: true, force: true });
  });

  const artifact = () => sha256(randomBytes(32));
  const quarantine = (node: TestNode, caller: Caller, of = artifact()) =>
    openQuarantine(node.v, caller, { artifact: of, reason: "leaks" });
  const stream = (token: string, { query = "", headers = {}, url = urls[1] } = {}) =>
    fetch(`${url}/events${query}`, {
      headers: { accept: "text/event-stream", authorization: `Bearer ${token}`, ...headers },
      signal: AbortSignal.timeout(20_000),
    });

  /** Follows until an event that is the last. */
  async function follow(
    server: string,
    token: string,
    wanted: EventsToFollow,
    isLast: (event: LoggedEvent) => boolean,
  ) {
    const told: LoggedEvent[] = [];
    for await (const event of createClient({ server, token, retries: 0 }).followEvents({
      ...wanted,
      signal: AbortSignal.timeout(60_000),
    })) {
      told.push(event);
      if (isLast(event)) return told;
    }
    throw new Error("the stream ended");
  }

  /** All that the project has after an index, page by page. */
  async function paged(token: string, after: number, type?: string) {
    const events: LoggedEvent[] = [];
    for (let place = `${after}`; ; ) {
      const query = `/events?limit=200&after=${place}${type ? `&type=${type}` : ""}`;
      const page = (await b.app.inject({ url: query, headers: { authorization: `Bearer ${token}` } })).json();
      events.push(...page.events);
      if (page.next === null) return events;
      place = page.next;
    }
  }

  test("each event comes once and in order, whatever breaks off and at whichever node; nothing of another project", async (t) => {
    const wire = await breakingWire(t, urls);
    const token = await a.token(["auditor"]);
    const { size } = b.v.projection;
    const own = callerWith(a, ["operator"]);
    const end = artifact();
    const isLast = ({ about }: LoggedEvent) => about.includes(end);
    const wanted = { after: size - 1 };
    const readers = [
      ...Array.from({ length: 4 }, () => follow(wire.url, token, wanted, isLast)),
      follow(wire.url, token, { ...wanted, types: ["quarantine.lifted", "quarantine.opened"] }, isLast),
      follow(wire.url, token, { ...wanted, digest: end }, isLast),
    ];
    const others = follow(wire.url, otherToken, wanted, isLast);
    for (let i = 0; i < 15; i += 1) {
      await Promise.all([a, b].flatMap((node) => [quarantine(node, own), quarantine(node, other)]));
      if (i % 3 === 0) await sleep(60);
    }
    await Promise.all([quarantine(a, own, end), quarantine(b, other, end)]);
    const all = await paged(token, size - 1);
    assert.equal(all.length >= 31, true, `${all.length}`);
    const [first, ...rest] = await Promise.all(readers);
    assert.ok(wire.broken() > 5, `broke off ${wire.broken()} times`);
    assert.deepEqual(first, all);
    for (const told of rest.slice(0, 4)) assert.deepEqual(told, all);
    assert.deepEqual(
      rest[4]?.map(({ about }) => about),
      [[end]],
    );
    const theirs = await others;
    assert.equal(theirs.length, 31);
    assert.deepEqual(theirs, await paged(otherToken, size - 1));
  });

  test("a browser's EventSource goes on after Last-Event-ID, and not where its URL began", async () => {
    const token = await a.token(["operator"]);
    const { receipt } = await quarantine(a, callerWith(a, ["operator"]));
    const answer = await stream(token, {
      query: "?after=0&type=quarantine.opened",
      headers: { "last-event-id": String(receipt.index - 1) },
    });
    assert.deepEqual(
      ["content-type", "cache-control", "vary"].map((name) => answer.headers.get(name)),
      ["text/event-stream", "no-store", "accept"],
    );
    let text = "";
    for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += piece;
      if (/^data: [\s\S]*^: nothing more below .*\nid: .*\n\n/m.test(text)) break;
    }
    // The other node may not have heard of it yet, and says first that there is nothing.
    const [event, rest] = text.slice(text.indexOf(`id: ${receipt.index}\nevent: `)).split("\n\n");
    assert.match(event ?? "", new RegExp(`^id: ${receipt.index}\nevent: quarantine.opened\ndata: {.*}$`));
    assert.match(rest ?? "", /^: nothing more below [0-9]+\nid: [0-9]+$/);
  });

  test("an issuer names types that are for it; what a stream cannot be asked is refused before it begins", async () => {
    const issuer = await a.token(["issuer"]);
    const operator = await a.token(["operator"]);
    for (const [token, query, headers, status, code] of [
      [issuer, "", {}, 403, "forbidden"],
      [issuer, "?type=identity.issued", {}, 403, "forbidden"],
      [await a.token(["uploader"]), "?type=quarantine.opened", {}, 403, "forbidden"],
      [operator, "?type=nothing", {}, 400, "invalid-request"],
      [operator, "?digest=sha256:0", {}, 400, "malformed-digest"],
      [operator, "?after=-1", {}, 400, "invalid-request"],
      [operator, "?limit=10", {}, 400, "invalid-request"],
      [operator, "", { "last-event-id": "x" }, 400, "invalid-request"],
      [operator, "?after=999999", {}, 409, "conflict"],
    ] as const) {
      const answer = await stream(token, { query, headers });
      assert.deepEqual(
        [answer.status, ((await answer.json()) as { code: string }).code],
        [status, code],
        query,
      );
    }
    const { receipt } = await quarantine(a, callerWith(a, ["operator"]));
    const wanted = { types: ["quarantine.opened"], after: receipt.index - 1 };
    assert.equal((await follow(urls[1], issuer, wanted, () => true))[0]?.index, receipt.index);
  });

  test("readers who know as much are one look at the log together, and another project's are none", async () => {
    let queries = 0;
    const kysely = b.v.database.kysely.withPlugin({
      transformQuery({ node }) {
        queries += 1;
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    const gone = new AbortController();
    const feed = createEventFeed({ ...b.v, database: { ...b.v.database, kysely } }, gone.signal);
    const { size } = b.v.projection;
    const callers = [...Array.from({ length: 16 }, () => callerWith(b, ["auditor"])), other];
    const readers = await Promise.all(
      callers.map((caller, i) =>
        feed.follow(caller, size, i % 2 === 0 ? {} : { types: ["quarantine.opened"] }, gone.signal),
      ),
    );
    for (const reader of readers) assert.equal((await reader.next()).value?.case, "current");
    queries = 0;
    for (let i = 0; i < 3; i += 1) {
      const next = readers.map((reader) => reader.next());
      await quarantine(b, callerWith(b, ["operator"]));
      const told = await Promise.all(next);
      assert.deepEqual(
        told.map(({ value }) => value?.case),
        callers.map((caller) => (caller === other ? "current" : "event")),
      );
      for (const reader of readers.slice(0, -1)) assert.equal((await reader.next()).value?.case, "current");
    }
    assert.ok(queries <= 2 * 3, `${queries} queries`);
    gone.abort();
    for (const reader of readers) assert.equal((await reader.next()).done, true);
  });

  test("a stream ends within seconds of its token, and the next try is refused", async () => {
    const { id, token } = await createToken(b.v, b.v, { name: "short", roles: ["auditor"] });
    const told = follow(urls[1], token, {}, () => false);
    const ended = assert.rejects(told, { code: "unauthenticated" });
    await b.app.inject({
      method: "DELETE",
      url: `/tokens/${id}`,
      headers: { authorization: `Bearer ${await b.token(["operator"])}` },
    });
    await ended;
  });
});

/** A wire that leads to one node and then to the other, and breaks again and again. */
async function breakingWire(t: TestContext, urls: readonly string[]) {
  let made = 0;
  let broken = 0;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(new URL(urls[made % urls.length] ?? "").port), "127.0.0.1");
    made += 1;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy()).on("close", () => sockets.delete(from) && to.destroy());
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const timer = setInterval(() => {
    const all = [...sockets];
    broken += 1;
    // On a busy machine nobody would ever hear anything.
    if (broken === 40) clearInterval(timer);
    all[Math.floor(Math.random() * all.length)]?.destroy();
  }, 40);
  t.after(() => {
    clearInterval(timer);
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    broken: () => broken,
  };
}
