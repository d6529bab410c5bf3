import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseBenchResult } from "../../.ci/bench-result.ts";

const RIGHT = {
  bench: "ingest",
  rows: [{ name: "batched", median: 9600, unit: "pushes/s" }],
  ratios: { a: 4.6 },
};

describe("the line that every bench prints last", () => {
  test("is read", () => assert.deepEqual(parseBenchResult(JSON.stringify(RIGHT)), RIGHT));

  const wrong: [name: string, line: string][] = [
    ["no JSON", "ingest: 9600/s"],
    ["null", "null"],
    ["no rows", JSON.stringify({ ...RIGHT, rows: [] })],
    ["a row without unit", JSON.stringify({ ...RIGHT, rows: [{ name: "a", median: 1 }] })],
    ["a median that is text", JSON.stringify({ ...RIGHT, rows: [{ name: "a", median: "1", unit: "s" }] })],
    ["a ratio that is no number", JSON.stringify({ ...RIGHT, ratios: { a: null } })],
    ["no ratios", JSON.stringify({ ...RIGHT, ratios: undefined })],
  ];
  for (const [name, line] of wrong)
    test(`${name} is refused`, () => assert.throws(() => parseBenchResult(line)));
});
