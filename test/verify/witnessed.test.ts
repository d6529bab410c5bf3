import assert from "node:assert/strict";
import { test } from "node:test";
import type { TimeRange } from "../../src/trust/time-range.ts";
import { operatorsOf, VerificationError } from "../../src/verify/findings.ts";
import { requireLogEntries, requireTimes, trustedTimes } from "../../src/verify/witnessed.ts";

const NOON = Date.UTC(2026, 0, 1, 12);

function time(operator: string, at = NOON) {
  return { source: "timestamp-authority", name: `tsa of ${operator}`, operator, time: at } as const;
}

function stampOf(operator: string, response = Uint8Array.of(1)) {
  return { response, name: `tsa of ${operator}`, operator, time: NOON };
}

function entry(operator: string, logId: string, ...ranges: readonly TimeRange[]) {
  const validFor = ranges.length === 0 ? [{ start: 0, end: 2 * NOON }] : ranges;
  const found = { log: logId, logId, operator, logIndex: 1, leafHash: "00", kind: "dsse 0.0.1" };
  return { ...found, proven: true, validFor };
}

const refused = (step: string, code: string) => (error: unknown) =>
  error instanceof VerificationError && error.step === step && error.code === code;

test("times of one operator are one time, however many there are", () => {
  const two = [time("acme"), time("acme", NOON + 1000)];
  assert.doesNotThrow(() => requireTimes(two, 1, undefined));
  assert.throws(() => requireTimes(two, 2, undefined), refused("time", "time-unverified"));
  assert.doesNotThrow(() => requireTimes([...two, time("other")], 2, undefined));
});

test("a log and a timestamp authority of one operator say the time once", () => {
  const stamp = stampOf("acme");
  const times = trustedTimes([stamp], [{ ...entry("acme", "01"), promisedTime: NOON }]);
  assert.equal(times.length, 2);
  assert.equal(operatorsOf(times), 1);
});

test("a timestamp that two authorities may have signed counts once, by the first of them", () => {
  const one = stampOf("acme");
  const other = stampOf("other");
  const times = trustedTimes([one, { ...one, operator: "rolled over" }, other], []);
  assert.deepEqual(
    times.map(({ operator }) => operator),
    ["acme", "other"],
  );
});

test("entries of one operator's logs count once, and only of logs in force at a trusted time", () => {
  const entries = [entry("acme", "01"), entry("acme", "02")];
  const at = [time("tsa")];
  assert.equal(requireLogEntries(entries, at, 1, undefined, {}).length, 2);
  assert.throws(() => requireLogEntries(entries, at, 2, undefined, {}), refused("log", "log-entry-invalid"));
  const later = entry("other", "03", { start: NOON + 1, end: 2 * NOON });
  assert.throws(
    () => requireLogEntries([...entries, later], at, 2, undefined, {}),
    refused("log", "log-entry-invalid"),
  );
  const [first, second] = requireLogEntries(
    [entry("acme", "01"), entry("other", "03")],
    at,
    2,
    undefined,
    {},
  );
  assert.deepEqual([first?.logId, second?.logId], ["01", "03"]);
});

test("an entry counts in any range of its log, and not between them", () => {
  const listedTwice = entry("acme", "01", { start: 0, end: NOON - 2 }, { start: NOON, end: 2 * NOON });
  for (const at of [NOON - 2, NOON]) {
    assert.equal(requireLogEntries([listedTwice], [time("tsa", at)], 1, undefined, {}).length, 1);
  }
  assert.throws(
    () => requireLogEntries([listedTwice], [time("tsa", NOON - 1)], 1, undefined, {}),
    refused("log", "log-entry-invalid"),
  );
});
