import assert from "node:assert/strict";
import { test } from "node:test";
import { VouchsafeError } from "../../../src/errors.ts";
import { parseHcl } from "../../../src/workload/spire/hcl.ts";
import fc from "../../support/fc.ts";

const taken: [name: string, text: string][] = [
  ["as SPIRE prints a block", '{\n  server = "https://v"\n  policies = ["a", "b"]\n}'],
  ["as a file has it", 'server = "https://v" # ours\n// and\n/* more\n */ policies = [\n  "a",\n  "b",\n]\n'],
  ["as JSON", JSON.stringify({ server: "https://v", policies: ["a", "b"] })],
  ["with escapes", '"server" = "https:\\/\\/\\u0076", policies = ["a" , "b"]'],
];
for (const [name, text] of taken) {
  test(`HCL ${name}`, () => {
    assert.deepEqual(
      [...parseHcl(text)],
      [
        ["server", "https://v"],
        ["policies", ["a", "b"]],
      ],
    );
  });
}

const refused: [name: string, text: string, line: number][] = [
  ["a number", "\n a = 1", 2],
  ["a block", 'a "b" {}', 1],
  ["interpolation", 'a = "%{b}"', 1],
  ["a heredoc", "a = <<E\nb\nE", 1],
  ["a name twice", 'a = "b"\n"a" = "c"', 2],
  ["a brace that is not closed", '{\na = "b"\n', 3],
  ["more than one object", '{a = "b"} {c = "d"}', 1],
  ["a list of lists", 'a = [["b"]]', 1],
  ["a list without commas", 'a = ["b" "c"]', 1],
  ["a line break in a string", 'a = "b\nc"', 1],
];
for (const [name, text, line] of refused) {
  test(`HCL is refused that has ${name}`, () => {
    assert.throws(() => parseHcl(text), {
      code: "configuration-invalid",
      message: new RegExp(`line ${line}:`),
    });
  });
}

test("HCL is read or refused, and its strings are those of JSON", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'{}[]=:,"\\ab\n #/*$ 1') }), (text) => {
      try {
        parseHcl(text);
      } catch (error) {
        assert.ok(error instanceof VouchsafeError, String(error));
      }
    }),
  );
  const value = fc.string().filter((text) => !/[$%]\{|\p{Cc}/u.test(text));
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(value, value), { selector: ([name]) => name }), (members) => {
      assert.deepEqual(
        [...parseHcl(JSON.stringify(Object.fromEntries(members)))],
        Object.entries(Object.fromEntries(members)),
      );
    }),
  );
});
