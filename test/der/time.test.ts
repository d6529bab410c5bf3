import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DerError } from "../../src/der/reader.ts";
import { readUtcDigits } from "../../src/der/time.ts";

describe("readUtcDigits", () => {
  test("reads every second that there is", () => {
    assert.equal(readUtcDigits("19700101000001"), 1000);
    assert.equal(readUtcDigits("20240229235959"), Date.UTC(2024, 1, 29, 23, 59, 59));
    assert.equal(readUtcDigits("99991231235959"), Date.UTC(9999, 11, 31, 23, 59, 59));
  });

  for (const digits of [
    "",
    "2024022923595",
    "20230229000000",
    "20240431000000",
    "20240001000000",
    "20240101240000",
    "20240101006000",
    "20240101000060",
    "20240101000000Z",
    "+2024010100000",
  ]) {
    test(`refuses ${digits || "nothing"}`, () => assert.throws(() => readUtcDigits(digits), DerError));
  }
});
