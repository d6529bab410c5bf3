import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject } from "../../src/in-toto-attestation/types.ts";
import { changed } from "../../src/policy/stated-evidence.ts";

describe("what is changed, by the examples of RFC 7396, appendix A", () => {
  for (const [target, patch, expected] of [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ] as const) {
    test(`${JSON.stringify(target)} by ${JSON.stringify(patch)}`, () => {
      const { predicate } = changed({ predicate: target as JsonObject }, { predicate: patch as JsonObject });
      assert.deepEqual(JSON.parse(JSON.stringify(predicate)), expected);
    });
  }
});
