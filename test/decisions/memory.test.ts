import assert from "node:assert/strict";
import { test } from "node:test";
import { type AsOf, createMemory, type Kept } from "../../src/decisions/memory.ts";

interface Value extends Kept {
  readonly read: number;
}

/** A memory of one log, whose reads end when a test says so. */
function memoryOf(log: { size: number; now?: number }) {
  const memory = createMemory<Value>({ most: 10, followedTo: () => log.size, clock: () => log.now ?? 0 });
  const ends: (() => void)[] = [];
  return {
    memory,
    reads: () => ends.length,
    /** Asks; a read that begins by it is of the log's size now. */
    ask(): Promise<AsOf<Value>> {
      const { size } = log;
      return memory.read("key", async () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const read = ends.push(resolve);
        await promise;
        return { size, value: { asked: false, read } };
      });
    },
    async end(from = 0): Promise<void> {
      for (const end of ends.slice(from)) end();
      await new Promise(setImmediate);
    },
  };
}

test("who asks while a read is under way shares it", async () => {
  const { ask, end, reads } = memoryOf({ size: 3 });
  const asked = Array.from({ length: 100 }, ask);
  await end();
  for (const { size, value } of await Promise.all(asked)) assert.deepEqual([size, value.read], [3, 1]);
  assert.equal(reads(), 1);
});

test("who asks after an event gets no read that began before it, but shares one that began since", async () => {
  const log = { size: 3 };
  const { ask, end, reads } = memoryOf(log);
  const before = ask();
  log.size = 4;
  const after = [ask(), ask()];
  await end();
  await end();
  assert.equal((await before).size, 3);
  for (const { size, value } of await Promise.all(after)) assert.deepEqual([size, value.read], [4, 2]);
  assert.equal(reads(), 2);
});

test("a read that an event overtook, or that was forgotten meanwhile, is not kept", async () => {
  for (const happens of ["event", "forget"] as const) {
    const log = { size: 3 };
    const { memory, ask, end, reads } = memoryOf(log);
    const reading = ask();
    if (happens === "event") log.size = 4;
    else memory.forget("key");
    await end();
    assert.equal((await reading).size, 3);
    assert.equal(memory.recall("key"), undefined);
    const again = ask();
    await end();
    assert.deepEqual([(await again).value.read, reads()], [2, 2]);
  }
});

test("whoever asks after it was forgotten shares no read that began before", async () => {
  const { memory, ask, end } = memoryOf({ size: 3 });
  const before = ask();
  memory.forget("key");
  const after = ask();
  await end();
  assert.deepEqual([(await before).value.read, (await after).value.read], [1, 2]);
  assert.equal(memory.recall("key")?.read, 2);
});

test("a read that does not end is joined for a moment, and then another takes its place", async () => {
  const log = { size: 3, now: 0 };
  const { memory, ask, end, reads } = memoryOf(log);
  const stuck = ask();
  log.now = 4_999;
  const joined = ask();
  log.now = 5_000;
  const later = [ask(), ask()];
  await end(1);
  assert.deepEqual(
    (await Promise.all(later)).map(({ value }) => value.read),
    [2, 2],
  );
  // Nor does it take the newer one's place, should it end after all.
  await end();
  assert.deepEqual([(await stuck).value.read, (await joined).value.read, reads()], [1, 1, 2]);
  assert.equal(memory.recall("key")?.read, 2);
});

test("a read that fails is told to all who share it, and is not kept", async () => {
  const memory = createMemory<Value>({ most: 10, followedTo: () => 0, clock: () => 0 });
  const fail = () => memory.read("key", () => Promise.reject(new Error("away")));
  for (const answer of [fail(), fail()]) await assert.rejects(answer, /away/);
  const value = { asked: false, read: 1 };
  assert.equal((await memory.read("key", async () => ({ size: 0, value }))).value, value);
});
