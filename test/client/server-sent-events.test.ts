import assert from "node:assert/strict";
import { test } from "node:test";
import { readServerSentEvents, type StreamMessage } from "../../src/client/server-sent-events.ts";
import { collected } from "../support/collected.ts";
import fc from "../support/fc.ts";

const read = (text: string, at: readonly number[] = []) => {
  const bytes = new TextEncoder().encode(text);
  const cuts = [0, ...at.map((one) => one % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return collected(readServerSentEvents(cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end))));
};
const event = (data: string, name = "message", lastEventId = "") =>
  ({ case: "event", event: name, data, lastEventId }) satisfies StreamMessage;

// WHATWG HTML §9.2.6, its examples among them.
for (const [what, text, said] of [
  ["two lines of data", "data: YHOO\ndata: +2\ndata: 10\n\n", [event("YHOO\n+2\n10")]],
  [
    "an id stays until another",
    "id: 1\ndata: a\n\ndata: b\n\n",
    [event("a", "message", "1"), event("b", "message", "1")],
  ],
  [
    "an empty id takes it back",
    "id: 1\ndata: a\n\nid\ndata: b\n\n",
    [event("a", "message", "1"), event("b")],
  ],
  ["an id alone moves on", ": nothing\nid: 7\n\n", [{ case: "alive", lastEventId: "7" }]],
  [
    "one space is left out",
    "data:test\n\ndata: test\n\ndata:  test\n\n",
    [event("test"), event("test"), event(" test")],
  ],
  ["empty data", "data\n\ndata\ndata\n\ndata:", [event(""), event("\n")]],
  ["what is not ended", "data: a\n\ndata: b\n", [event("a")]],
  ["CR, LF and both", "data: a\r\rdata: b\r\n\r\ndata: c\n\n", [event("a"), event("b"), event("c")]],
  ["a byte order mark", "\ufeffdata: a\n\n", [event("a")]],
  ["an id with NUL, unknown fields", "id: a\0b\nfoo: 1\ndata: a\n\n", [event("a")]],
  [
    "names and retry",
    "retry: 10\nevent: x\ndata: {}\n\nretry: soon\n\n",
    [{ case: "retry", retry: 10 }, event("{}", "x"), { case: "alive", lastEventId: "" }],
  ],
] as const) {
  test(`server-sent events: ${what}, however they are cut`, async () => {
    assert.deepEqual(await read(text), said);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(100), { maxLength: 5 }), async (at) => {
        assert.deepEqual(await read(text, at), said);
      }),
      { numRuns: 50 },
    );
  });
}

test("an event without an end is not kept for ever", async () => {
  function* endless() {
    const piece = new Uint8Array(1024 * 1024).fill(0x61);
    for (;;) yield piece;
  }
  await assert.rejects(collected(readServerSentEvents(endless())), { code: "unexpected-answer" });
});
