import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { feed, fuzz } from "./fuzz.ts";
import { loadTargets } from "./targets.ts";

const targets = await loadTargets();

/** Some five seconds in all; `npm run fuzz` goes on from there. */
const INPUTS = 300;

describe("bytes that anyone may have sent are read or refused, soon and in little memory", () => {
  for (const target of targets) {
    test(target.name, () => fuzz(target, 20_260_301, INPUTS));
  }
});

describe("a fault is noticed:", () => {
  const target = (read: () => unknown) => ({ name: "a parser", seeds: [], read, refusals: [VouchsafeError] });

  test("an error that is no refusal", () => {
    assert.throws(
      () =>
        feed(
          target(() => JSON.parse("{")),
          Buffer.alloc(0),
        ),
      /threw what is not its own/,
    );
  });

  test("time", () => {
    const slow = target(() => {
      const started = process.threadCpuUsage();
      while (process.threadCpuUsage(started).user < 60_000);
    });
    assert.throws(() => feed(slow, Buffer.alloc(0)), / ms, /);
  });

  test("memory", () => {
    const kept: Uint8Array[] = [];
    assert.throws(
      () =>
        feed(
          target(() => kept.push(new Uint8Array(70 << 20))),
          Buffer.alloc(0),
        ),
      /bytes of heap/,
    );
  });
});
