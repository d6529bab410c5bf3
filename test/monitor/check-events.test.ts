import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyHash, encodeBody } from "../../src/custody/body.ts";
import { INSTALLATION, type ProjectId } from "../../src/custody/events.ts";
import { encodeLeaf } from "../../src/custody/leaf.ts";
import type { OpenedEvent } from "../../src/custody/open-event.ts";
import { checkEvents, readEntry, readTold } from "../../src/monitor/check-events.ts";
import type { EventPage } from "../../src/monitor/event-page.ts";
import { PROJECT } from "../support/pushes.ts";

const SALT = new Uint8Array(32);

function eventAt(index: number, project: ProjectId = PROJECT): OpenedEvent {
  const body = encodeBody({ about: [], body: { index } });
  const fields = { type: "decision.recorded", time: index, project, previous: [] } as const;
  return { index, salt: SALT, body, leaf: encodeLeaf({ ...fields, bodyHash: bodyHash(SALT, body) }) };
}

const told = [eventAt(0, INSTALLATION), eventAt(1), eventAt(2), eventAt(3)];
const entries = told.map(({ index, leaf }) => readEntry(index, leaf));
const kinds = (given: readonly OpenedEvent[]) =>
  checkEvents(entries, given, PROJECT).alarms.map(({ alarm, index }) => `${index} ${alarm}`);

test("the project's own events, each as it is, raise nothing", () => {
  assert.deepEqual(kinds(told.slice(1)), []);
});

test("a true event of another project is none of this one", () => {
  assert.deepEqual(kinds(told), ["0 event-altered"]);
});

test("each event that is missing is missed", () => {
  assert.deepEqual(kinds([eventAt(2)]), ["1 event-omitted", "3 event-omitted"]);
});

test("an entry of a form that nobody knows is not taken for the project's", () => {
  const { leaf } = readEntry(4, Buffer.from("another version"));
  assert.equal(leaf, undefined);
});

const page = (events: readonly OpenedEvent[], next: string | null, project: string = PROJECT): EventPage => ({
  project,
  events,
  next,
});

const REFUSED: readonly (readonly [string, readonly EventPage[]])[] = [
  ["of another project", [page([], null, INSTALLATION)]],
  ["that go back", [page([eventAt(2), eventAt(1)], null)]],
  ["that repeat", [page([eventAt(1)], "1"), page([eventAt(1)], "1")]],
  ["with a gap in between", [page([eventAt(1)], "2"), page([eventAt(3)], null)]],
  ["that do not go on", [page([], "5")]],
  ["without events, again and again", [page([], "0")]],
];

test("pages are read up to the last entry asked for, and others than that refused", async () => {
  const reader = (pages: readonly EventPage[]) => {
    const left = [...pages];
    return async () => left.shift() ?? assert.fail("asked for more");
  };
  const range = { first: 1, last: 3 };
  const pages = [page([eventAt(1), eventAt(2)], "2"), page([eventAt(3), eventAt(4)], "4")];
  assert.deepEqual(await readTold(reader(pages), PROJECT, range), told.slice(1));
  for (const [what, given] of REFUSED)
    await assert.rejects(readTold(reader(given), PROJECT, range), { code: "invalid-request" }, what);
});
