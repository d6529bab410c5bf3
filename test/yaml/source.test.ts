import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { diagnosticsOf, load, places, RELEASE } from "../support/policy-files.ts";

describe("hostile files are refused, soon and with our error", () => {
  const HOSTILE: readonly [name: string, text: string][] = [
    ["lists in lists", "[".repeat(200_000)],
    ["maps in maps", "{a: ".repeat(60_000)],
    ["block lists in block lists", "- ".repeat(120_000)],
    ["keys of keys", "? ".repeat(120_000)],
    ["lists that comments seem to close", "[ # ]\n".repeat(20_000)],
    ["aliases of aliases", `a: &a [x, x]\n${"b: &b [*a, *a]\n".repeat(1_000)}`],
    ["too much text", "# ".repeat(200_000)],
    ["24,000 keys", Array.from({ length: 24_000 }, (_, index) => `k${index}: 1`).join("\n")],
    ["unclosed quotes", "k: 'x\n".repeat(30_000)],
    ["a lone surrogate", 'apiVersion: "\\ud800"'],
    ["a lone surrogate in a comment", "# \ud800"],
    ["a prototype", RELEASE.replace("spec:", "__proto__: {}\nspec:")],
    ["another YAML version", `%YAML 1.1\n---\n${RELEASE}`],
    ["a scalar", "release"],
    ["a list", "- release"],
  ];
  for (const [name, text] of HOSTILE) {
    test(name, () => {
      const before = process.cpuUsage();
      const diagnostics = diagnosticsOf(text);
      assert.ok(diagnostics.length > 0 && diagnostics.length <= 200);
      assert.ok(process.cpuUsage(before).user < 10_000_000);
    });
  }

  test("nesting is followed to 32 levels, and read no further than that", () => {
    const nested = (levels: number) =>
      RELEASE.replace("retries: 3", () => `deep: ${"[".repeat(levels)}x${"]".repeat(levels)}`);
    assert.deepEqual(places(nested(27)), []);
    assert.deepEqual(places(nested(28)), ["22:71"]);
    for (const text of ["[".repeat(5_000), "{a: ".repeat(5_000), "- ".repeat(5_000), "a: ".repeat(5_000)]) {
      assert.ok(diagnosticsOf(text).every(({ column }) => column < 640));
    }
  });

  test("parameters may be called like members of objects", () => {
    const text = RELEASE.replace("workflow:", "__proto__: x\n      constructor: y\n      workflow:");
    const rules = load(text).policies.get("release")?.spec.externalParameters;
    assert.deepEqual([...(rules?.require.keys() ?? [])], ["__proto__", "constructor", "workflow"]);
    assert.notEqual(load(text).policies.get("release")?.hash, load(RELEASE).policies.get("release")?.hash);
  });
});
