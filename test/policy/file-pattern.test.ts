import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFilePattern } from "../../src/policy/file-pattern.ts";

test("a path is of one file, or of those in one directory whose names match", () => {
  const { directory, name, isExact } = parseFilePattern("/models/llama/*.safetensors");
  assert.deepEqual([directory, isExact], ["/models/llama", false]);
  assert.deepEqual(
    ["a.safetensors", ".safetensors", "a.bin", "b/a.safetensors"].map((one) => name.matches(one)),
    [true, true, false, false],
  );
  assert.deepEqual(
    ["/etc/prompt.md", "/prompt", "/a/\\*"].map((path) => parseFilePattern(path).isExact),
    [true, true, false],
  );
});

for (const [what, path] of [
  ["relative", "models/a"],
  ["empty", ""],
  ["the root", "/"],
  ["a directory", "/models/"],
  ["two slashes", "/models//a"],
  ["up", "/models/../a"],
  ["up in the end", "/models/.."],
  ["here", "/./a"],
  ["a glob of directories", "/models/*/a"],
  ["any depth", "/**/a"],
  ["a set", "/models/[ab]"],
  ["a new line", "/models/a\nb"],
  ["over 1,024 characters", `/${"a".repeat(1024)}`],
] as const) {
  test(`refused: ${what}`, () => assert.throws(() => parseFilePattern(path), { name: "GlobError" }));
}
