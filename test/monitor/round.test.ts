import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ApiError } from "../../src/client/api-error.ts";
import type { Alarm } from "../../src/monitor/alarm.ts";
import { runRound } from "../../src/monitor/round.ts";
import { compileGlob } from "../../src/policy/glob.ts";
import { growLog } from "../support/grow-log.ts";
import { stopPostgres } from "../support/postgres.ts";
import { committed, digestOf, pushProposal } from "../support/pushes.ts";
import { type Between, type FollowedLog, followLog, startLog } from "./followed-log.ts";

let directory: string;
let log: FollowedLog;
/** Signs for the same log with the same key, and has another tree. */
let fork: FollowedLog;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-monitored-"));
  log = await startLog(directory, ["log-key.pem"]);
  fork = await startLog(directory, ["log-key.pem"]);
  await growLog(log.v, 600);
  await growLog(fork.v, 600);
});
after(async () => {
  for (const { close, postgres } of [log, fork]) {
    await close();
    await postgres.drop();
  }
  await stopPostgres();
  await rm(directory, { recursive: true, force: true });
});

const kinds = (alarms: readonly Alarm[]) => alarms.map(({ alarm }) => alarm);
const sizeOf = async ({ v: { projection } }: FollowedLog) => {
  await projection.follow();
  return projection.size;
};
const grow = async (followed: FollowedLog, by: number) => {
  const size = await sizeOf(followed);
  await growLog(followed.v, size + by);
  return size + by;
};

/** Shows the other tree in all that is public. */
const showFork: Between = (path, ask) => (path.startsWith("/log/") ? ask(fork) : undefined);

test("reads every entry of an honest log once, and goes on where it was", async () => {
  const monitor = await followLog(log);
  const size = await sizeOf(log);
  assert.deepEqual(await monitor.round(), { end: "done", alarms: [], read: size });
  const asked: string[] = [];
  monitor.lie((path) => void asked.push(path));
  assert.deepEqual(await monitor.round(), { end: "done", alarms: [], read: size });
  assert.deepEqual(asked, ["/log/checkpoint"]);
  for (const by of [1, 3, 300]) {
    const grown = await grow(log, by);
    assert.deepEqual(await monitor.round(), { end: "done", alarms: [], read: grown });
  }
  await monitor.close();
});

test("a log that shows another tree of the same size, or a larger one that does not extend it", async () => {
  const monitor = await followLog(log, { events: false });
  await monitor.round();
  const seen = await log.app.inject("/log/checkpoint");
  await growLog(fork.v, await sizeOf(log));
  monitor.lie(showFork);
  for (const by of [0, 5]) {
    await grow(fork, by);
    const shown = await fork.app.inject("/log/checkpoint");
    const { alarms, read } = await monitor.round();
    assert.deepEqual(kinds(alarms), ["split-view"]);
    assert.equal(read, await sizeOf(log), "nothing of the other tree was read");
    const [alarm] = alarms;
    const kept = await Promise.all((alarm?.evidence ?? []).map((file) => readFile(file, "utf8")));
    assert.deepEqual(kept, [seen.body, shown.body], "both notes, as the log signed them");
  }
  monitor.lie(() => undefined);
  assert.deepEqual(kinds((await monitor.round()).alarms), [], "and the tree seen first is still the one");
  await monitor.close();
});

test("an older checkpoint is nobody's alarm until it stays, or until the log has lost what it signed", async () => {
  const monitor = await followLog(log, { events: false });
  const [older, size] = [(await log.app.inject("/log/checkpoint")).rawPayload, await grow(log, 2)];
  await monitor.round();
  monitor.lie((path) => (path === "/log/checkpoint" ? Promise.resolve(older) : undefined));
  assert.deepEqual(await monitor.round(), { end: "done", alarms: [], read: size });
  monitor.advance(59_000);
  assert.deepEqual(kinds((await monitor.round()).alarms), []);
  monitor.advance(2_000);
  assert.deepEqual(kinds((await monitor.round()).alarms), ["rollback"]);
  monitor.lie(() => undefined);
  assert.deepEqual(kinds((await monitor.round()).alarms), []);

  const gone = async () => {
    throw new ApiError("not-found", "The tree has no such tile", { status: 404 });
  };
  monitor.lie((path) => (path === "/log/checkpoint" ? Promise.resolve(older) : gone()));
  assert.deepEqual(kinds((await monitor.round()).alarms), ["rollback"]);
  await monitor.close();
});

test("entries that are not those of the signed tree are not taken for read", async () => {
  const monitor = await followLog(log, { events: false });
  monitor.lie((path, ask) => (path.startsWith("/log/tile/entries/") ? ask(fork) : undefined));
  await growLog(fork.v, await sizeOf(log));
  const { alarms, read } = await monitor.round();
  assert.deepEqual([kinds(alarms), read], [["entries"], 0]);
  monitor.lie(() => undefined);
  assert.equal((await monitor.round()).read, await sizeOf(log));
  await monitor.close();
});

test("an event that is left out, altered or added is told for what it is", async () => {
  const size = await sizeOf(log);
  const lies: readonly (readonly [string, (events: Event[]) => Event[], string[]])[] = [
    ["left out", (events) => events.filter(({ index }) => index !== 7), ["event-omitted"]],
    ["altered", (events) => alter(events, { body: { artifact: "sha256:00" } }), ["event-altered"]],
    ["about something else", (events) => alter(events, { about: [digestOf("x")] }), ["event-altered"]],
    ["another event", (events) => alter(events, { ...events[0], index: 9 }), ["event-altered"]],
    ["another's leaf", (events) => alter(events, { leaf: events[0]?.leaf ?? "" }), ["event-altered"]],
    [
      "each of a page",
      (events) => events.filter(({ index }) => index < 10 || index > 29),
      Array(20).fill("event-omitted"),
    ],
    ["the installation's", (events) => withFirst(events, { index: 0 }), ["event-altered"]],
  ];
  for (const [what, lie, expected] of lies) {
    const monitor = await followLog(log);
    monitor.lie((path, ask) => (path.startsWith("/events") ? told(ask(), lie) : undefined));
    const { alarms, read } = await monitor.round();
    assert.deepEqual([kinds(alarms), read], [expected, size], what);
    await monitor.close();
  }
});

interface Event {
  readonly index: number;
  readonly leaf: string;
}

async function told(answer: Promise<Uint8Array>, lie: (events: Event[]) => Event[]): Promise<Uint8Array> {
  const page = JSON.parse(Buffer.from(await answer).toString());
  const events = lie(page.events);
  const isLast = page.next === null || events.length === 0;
  return Buffer.from(JSON.stringify({ ...page, events, next: isLast ? null : String(events.at(-1)?.index) }));
}

function alter(events: readonly Event[], changes: object): Event[] {
  return events.map((event) => (event.index === 9 ? { ...event, ...changes } : event));
}

function withFirst(events: readonly Event[], changes: Partial<Event>): Event[] {
  return events.flatMap((event, i) =>
    i === 0 && event.index < 10 ? [{ ...event, ...changes }, event] : [event],
  );
}

test("what is watched calls: digests, signers, identities, and changes of policy and trust", async () => {
  const artifact = digestOf("a watched artifact");
  const { v } = log;
  const { project } = v;
  committed(await v.writer.append(pushProposal(artifact, await sizeOf(log), { project })));
  const requester = "spiffe://vouchsafe.local/vouchsafe/agent/edge";
  const denied = {
    type: "identity.denied",
    about: [],
    body: { requester, selectors: [], digests: [], reasons: [], count: 1, since: new Date().toISOString() },
  } as const;
  const identity = {
    kind: "x509",
    serial: "40",
    spiffeId: "spiffe://vouchsafe.local/widget",
    workload: "widget",
    requester,
    expiresAt: new Date().toISOString(),
  };
  const revoked = {
    type: "identity.revoked",
    about: [],
    body: { identities: [identity], digests: [], reasons: ["quarantined"], cause: null },
  } as const;
  committed(
    await v.writer.append({ project, asOf: await sizeOf(log), restsOn: [], events: [denied, revoked] }),
  );
  const end = await sizeOf(log);
  const at = (alarms: readonly Alarm[]) =>
    alarms.map(({ alarm, index = 0, message }) => [alarm, index - end, message.split(" is about ")[1]]);

  const watch = {
    digests: new Set([artifact]),
    signers: [compileGlob("https://github.com/example/**")],
    identities: [compileGlob("spiffe://vouchsafe.local/vouchsafe/agent/*")],
  };
  const monitor = await followLog(log, { watch });
  const { alarms } = await monitor.round();
  assert.deepEqual(at(alarms), [
    ["watched", -4, `${artifact}.`],
    [
      "watched",
      -4,
      `https://github.com/example/app/.github/workflows/release.yml@refs/tags/v1.0.0, in the chain of ${artifact}.`,
    ],
    ["watched", -3, `${artifact}.`],
    ["watched", -2, `${requester}.`],
    ["watched", -1, `${requester}.`],
  ]);
  assert.deepEqual(kinds((await monitor.round()).alarms), [], "each once");
  await monitor.close();
});

test("a crash after an alarm was told and before it was noted tells it again", async () => {
  const artifact = digestOf("seen in a crash");
  committed(await log.v.writer.append(pushProposal(artifact, await sizeOf(log), { project: log.v.project })));
  const watch = { digests: new Set([artifact]), signers: [], identities: [] };
  const monitor = await followLog(log, { watch });
  const opened = await monitor.open();
  for await (const alarm of runRound(opened)) {
    assert.equal(alarm.alarm, "watched");
    break; // as a crash would: what follows the alarm is never done
  }
  opened.close();
  assert.deepEqual(kinds((await monitor.round()).alarms), ["watched", "watched"]);
  assert.deepEqual(kinds((await monitor.round()).alarms), []);
  await monitor.close();
});
