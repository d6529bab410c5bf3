import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { readEvents, readHead } from "../../../src/db/log.ts";
import { issueJwtSvids } from "../../../src/services/identities/issue-svid.ts";
import { createRevocationFeed } from "../../../src/services/identities/revocation-feed.ts";
import { liftQuarantine, openQuarantine } from "../../../src/services/incidents/quarantine.ts";
import { writePem } from "../../../src/x509/pem.ts";
import { bareEnvironment } from "../../cli/server.ts";
import {
  agentCaller,
  fetchX509,
  type IdentityHouse,
  openIdentityHouse,
  release,
  SELECTORS,
  untilRevoked,
} from "../../services/identities/identity-house.ts";
import { callerWith } from "../../services/release-node.ts";
import { endChild, endWithParent } from "../../support/child.ts";
import { counted } from "../../support/counted.ts";
import { createPostgres, stopPostgres, type TestPostgres } from "../../support/postgres.ts";
import { assertDescribed } from "../described.ts";
import type { TestNode } from "../node.ts";

interface Event {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly data: { readonly asOf?: number; readonly revoked?: readonly { kind: string; serial: string }[] };
}

describe("revoked identities, as others are told", () => {
  let postgres: TestPostgres;
  let house: IdentityHouse;
  let a: TestNode;
  let b: TestNode;
  let url: string;

  before(async () => {
    postgres = await createPostgres();
    house = await openIdentityHouse(postgres);
    [a, b] = await Promise.all([house.open(), house.open()]);
    url = await b.app.listen({ host: "127.0.0.1", port: 0 });
  });
  after(async () => {
    await house.close();
    await postgres.drop();
    await stopPostgres();
  });

  const quarantine = (artifact: string) =>
    openQuarantine(a.v, callerWith(a, ["operator"]), { artifact, reason: "leaks" });

  async function* events(lastEventId?: string): AsyncGenerator<Event> {
    const headers = lastEventId === undefined ? {} : { "last-event-id": lastEventId };
    const response = await fetch(`${url}/revocations/stream`, {
      headers,
      signal: AbortSignal.timeout(30_000),
    });
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    let text = "";
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const parts = (text + chunk).split("\n\n");
      text = parts.pop() ?? "";
      for (const part of parts) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(part)?.[1];
        yield { id: field("id"), name: field("event"), data: JSON.parse(field("data") ?? "null") };
      }
    }
  }

  /** What is told until all is. */
  async function toldUntilCurrent(lastEventId?: string): Promise<Event[]> {
    const told: Event[] = [];
    for await (const event of events(lastEventId)) {
      if (event.name === "current") return told;
      told.push(event);
    }
    throw new Error("the stream ended");
  }

  const serialsIn = (told: readonly Event[]) =>
    told.flatMap(({ data }) => (data.revoked ?? []).map(({ serial }) => serial));

  test("a reader is told what is revoked, then what comes, goes on where it was, and learns serial numbers alone", async () => {
    const [{ digest }, other] = [await release(house, a), await release(house, a)];
    const agent = agentCaller(a);
    const { svids } = await fetchX509(a, agent, digest);
    const audiences = ["https://api.example.org"];
    const jwt = await issueJwtSvids(a.v, agent, {
      audiences,
      selectors: SELECTORS,
      components: { executable: [digest] },
    });
    const jti = JSON.parse(Buffer.from(jwt.svids[0]?.token.split(".")[1] ?? "", "base64url").toString()).jti;
    const later = await fetchX509(a, agent, other.digest);
    await quarantine(digest);
    await untilRevoked(b, digest);

    const reader = events();
    const first = (await reader.next()).value as Event;
    assert.deepEqual(serialsIn([first]).sort(), [svids[0]?.serial, jti].sort());
    assert.deepEqual(Object.keys(first.data).sort(), ["index", "revoked"]);
    assert.deepEqual(Object.keys(first.data.revoked?.[0] ?? {}).sort(), ["expiresAt", "kind", "serial"]);
    const current = (await reader.next()).value as Event;
    assert.equal(current.name, "current");
    assert.ok((current.data.asOf ?? 0) > Number(first.id));

    const next = reader.next();
    await quarantine(other.digest);
    assert.deepEqual(serialsIn([(await next).value as Event]), [later.svids[0]?.serial]);
    await reader.return(undefined);

    assert.deepEqual(serialsIn(await toldUntilCurrent(first.id)), [later.svids[0]?.serial]);
    assert.equal((await toldUntilCurrent()).length, 2);
    assert.equal((await toldUntilCurrent("999999")).length, 2, "of a log that was set back");
    b.advance(11 * 60_000);
    assert.deepEqual(await toldUntilCurrent(), []);
    b.advance(-11 * 60_000);
    const refused = await fetch(`${url}/revocations/stream`, { headers: { "last-event-id": "-1" } });
    assert.equal(refused.status, 400);
  });

  test("one network's readers leave places for others, whichever of its addresses they come from", async () => {
    const gone = new AbortController();
    const read = (remoteAddress: string) =>
      b.app.inject({ url: "/revocations/stream", remoteAddress, payloadAsStream: true, signal: gone.signal });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => read(`2001:db8::${i}`)));
    for (const { statusCode, stream } of answers) {
      assert.equal(statusCode, 200);
      stream().on("error", () => {});
    }
    assert.equal((await read("2001:db8::ffff")).statusCode, 429);
    assert.equal((await read("2001:db8:0:1::1")).statusCode, 200);
    gone.abort();
  });

  test("readers who go on from wherever they were are one look at the log together", async () => {
    const { digest } = await release(house, a);
    for (let i = 0; i < 8; i += 1) await fetchX509(a, agentCaller(a), digest);
    const { v, count } = counted(b.v, "from agent_revocations");
    const gone = new AbortController();
    const feed = createRevocationFeed(v, gone.signal);
    const { size } = await readHead(b.v.database.kysely);
    const readers = Array.from({ length: 8 }, (_, i) => feed.follow(size - i, gone.signal));
    for (const reader of readers) await reader.next();
    const waiting = readers.map((reader) => reader.next());
    await sleep(200);
    const before = count();
    for (let i = 0; i < 5; i += 1) {
      await fetchX509(a, agentCaller(a), digest);
      await sleep(150);
    }
    assert.ok(count() - before < 2 * 8, `${count() - before} looks`);
    gone.abort();
    await Promise.all(waiting);
  });

  test("who may know more finds why, for what and by which event; page by page, and by digest", async () => {
    const { digest } = await release(house, a);
    const agent = agentCaller(a);
    const granted = await Promise.all([1, 2, 3].map(() => fetchX509(a, agent, digest)));
    const { receipt } = await quarantine(digest);
    await untilRevoked(a, digest);
    const headers = { authorization: `Bearer ${await a.token(["auditor"])}` };
    const ask = async (query: string) => {
      const answer = await a.app.inject({ method: "GET", url: `/revocations?${query}`, headers });
      assertDescribed(a.app, "GET /revocations", answer);
      return answer.json();
    };
    const found = [];
    for (let after = ""; ; ) {
      const page = await ask(`digest=${digest}&kind=x509&limit=2${after}`);
      found.push(...page.identities);
      if (page.next === null) break;
      after = `&after=${page.next}`;
    }
    const serials = granted.map(({ svids }) => svids[0]?.serial);
    assert.deepEqual(found.map(({ serial }) => serial).sort(), serials.sort());
    for (const { reasons, cause, digests } of found)
      assert.deepEqual([reasons, cause, digests], [["quarantined"], receipt.index, [digest]]);
    assert.deepEqual((await ask(`digest=${digest}&kind=jwt`)).identities, []);
  });

  test("a renewal that names what was revoked is a new grant, decided anew", async () => {
    const { digest } = await release(house, a);
    const agent = agentCaller(a);
    const { svids } = await fetchX509(a, agent, digest);
    const { id } = await quarantine(digest);
    await untilRevoked(a, digest);
    const serials = [svids[0]?.serial ?? ""];
    await assert.rejects(fetchX509(a, agent, digest, serials), { code: "identity-denied" });
    await liftQuarantine(a.v, callerWith(a, ["operator"]), { id, reason: "a mistake" });
    const again = await fetchX509(a, agent, digest, serials);
    const [event] = await readEvents(a.v.database.kysely, a.v.project, [again.svids[0]?.receipt.index ?? -1]);
    assert.deepEqual([event?.type, event?.body.renews], ["identity.issued", null]);
  });

  test("the relying party of docs/revoked-identities.md refuses who is revoked, and cuts it off", async (t) => {
    const [one, two] = [await release(house, a), await release(house, a)];
    const agent = agentCaller(a);
    const [own, peer, fellow] = [
      await fetchX509(a, agent, two.digest),
      await fetchX509(a, agent, one.digest),
      await fetchX509(a, agent, two.digest),
    ];
    const directory = await mkdtemp(join(tmpdir(), "vouchsafe-relying-party-"));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const pem = ({ key, svids }: typeof own) => ({
      cert: svids[0]?.chain.map((der) => writePem("CERTIFICATE", Buffer.from(der, "base64"))).join(""),
      key: key.export({ format: "pem", type: "pkcs8" }).toString(),
    });
    const ca = own.bundle.x509Authorities
      .map((der) => writePem("CERTIFICATE", Buffer.from(der, "base64")))
      .join("");
    const { cert = "", key } = pem(own);
    const [CERT, KEY, CA] = ["svid.pem", "key.pem", "ca.pem"].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    await Promise.all([writeFile(CERT, cert), writeFile(KEY, key), writeFile(CA, ca)]);
    const child = spawn(process.execPath, ["docs/examples/relying-party.ts"], {
      env: { ...bareEnvironment(), VOUCHSAFE_SERVER: url, CERT, KEY, CA, PORT: "0" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    endWithParent(child);
    t.after(() => endChild(child));
    const [said] = await once(child.stdout, "data");
    const { port } = JSON.parse(String(said));

    const agents = [peer, fellow].map((who) => {
      const how = { ...pem(who), ca, checkServerIdentity: () => undefined, keepAlive: true, maxSockets: 1 };
      return new Agent(how);
    });
    t.after(() => {
      for (const one of agents) one.destroy();
    });
    const ask = (agent: Agent | undefined) =>
      new Promise<string>((resolve) => {
        const request = get({ host: "127.0.0.1", port, agent }, (response) => {
          response.setEncoding("utf8").on("data", resolve);
        });
        request.on("error", () => resolve("refused"));
      });
    const until = async (agent: Agent | undefined, wanted: RegExp) => {
      const deadline = performance.now() + 20_000;
      for (let said = await ask(agent); !wanted.test(said); said = await ask(agent)) {
        assert.ok(performance.now() < deadline, said);
        await sleep(50);
      }
    };
    // It lets nobody in before it has heard what is revoked.
    for (const agent of agents) await until(agent, /hello URI:spiffe/);
    await quarantine(one.digest);
    await until(agents[0], /refused/);
    assert.equal(await ask(agents[0]), "refused");
    assert.match(await ask(agents[1]), /hello/);
  });
});
