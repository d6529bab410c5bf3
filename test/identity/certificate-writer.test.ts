import assert from "node:assert/strict";
import { test } from "node:test";
import { TAG } from "../../src/der/reader.ts";
import { time } from "../../src/identity/certificate-writer.ts";
import fc from "../support/fc.ts";

test("times are UTCTime to the end of 2049 and GeneralizedTime from then on, in whole seconds", () => {
  const cases: [at: string, written: string][] = [
    ["2026-03-01T02:03:04.999Z", "260301020304Z"],
    ["2000-01-01T00:00:00.000Z", "000101000000Z"],
    ["2049-12-31T23:59:59.999Z", "491231235959Z"],
    ["2050-01-01T00:00:00.000Z", "20500101000000Z"],
    ["2106-02-07T06:28:15.000Z", "21060207062815Z"],
  ];
  for (const [at, digits] of cases) {
    const written = time(Date.parse(at));
    assert.equal(written[0], digits.length === 13 ? TAG.utcTime : TAG.generalizedTime, at);
    assert.equal(written[1], digits.length, at);
    assert.equal(written.toString("latin1", 2), digits, at);
  }
});

test("property: a time is written with the digits of its date", () => {
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2200, 0) }), (at) => {
      const digits = new Date(at)
        .toISOString()
        .replace(/\.\d+/, "")
        .replaceAll(/[^0-9Z]/g, "");
      assert.equal(time(at).toString("latin1", 2), digits < "2050" ? digits.slice(2) : digits);
    }),
  );
});
