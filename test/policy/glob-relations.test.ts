import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compileGlob } from "../../src/policy/glob.ts";
import { canMatchBoth, covers } from "../../src/policy/glob-relations.ts";
import fc from "../support/fc.ts";

/** With a character that no pattern names: it stands for all others. */
const texts = [""];
for (let from = 0, length = 1; length <= 5; length += 1) {
  const end = texts.length;
  for (; from < end; from += 1) for (const character of "abc/") texts.push(`${texts[from]}${character}`);
}

/** Patterns short enough that texts of up to five characters tell them apart. */
const pattern = fc
  .array(fc.constantFrom("a", "b", "/", "*", "**"), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join(""))
  .filter((text) => !text.includes("***"))
  .map(compileGlob);

describe("how patterns relate, against every text of up to five characters", () => {
  test("canMatchBoth", () => {
    fc.assert(
      fc.property(pattern, pattern, (a, b) => {
        const found = texts.some((text) => a.matches(text) && b.matches(text));
        assert.equal(canMatchBoth(a, b), found || canMatchLonger(a, b), `${a.text} and ${b.text}`);
      }),
      { numRuns: 1000 },
    );
  });

  test("covers", () => {
    fc.assert(
      fc.property(pattern, pattern, (wide, narrow) => {
        const exception = texts.find((text) => narrow.matches(text) && !wide.matches(text));
        assert.equal(
          covers(wide, narrow),
          exception === undefined,
          `${wide.text} and ${narrow.text}: ${exception}`,
        );
      }),
      { numRuns: 1000 },
    );
  });
});

/** Two patterns of four parts each may need up to eight characters. */
function canMatchLonger(a: ReturnType<typeof compileGlob>, b: ReturnType<typeof compileGlob>): boolean {
  const plain = ({ text }: typeof a) => text.replaceAll("*", "");
  const candidates = [plain(a) + plain(b), plain(b) + plain(a)];
  return candidates.some((text) => a.matches(text) && b.matches(text));
}

describe("how patterns relate", () => {
  for (const [wide, narrow, expected] of [
    ["refs/tags/*", "refs/tags/v1", true],
    ["refs/tags/*", "refs/tags/a/b", false],
    ["refs/**", "refs/tags/v*", true],
    ["refs/tags/v*", "refs/tags/*", false],
    ["https://github.com/*/*", "https://github.com/acme/*", true],
    ["a\\*", "a*", false],
    ["a*", "a\\*", true],
    ["**", "*", true],
    ["*", "**", false],
    ["*a*", "*a", true],
  ] as const) {
    test(`${wide} ${expected ? "covers" : "does not cover"} ${narrow}`, () => {
      assert.equal(covers(compileGlob(wide), compileGlob(narrow)), expected);
    });
  }

  test("what would take too long to find out is told to be no", () => {
    const pair = (count: number) =>
      covers(compileGlob(`${"*a".repeat(count)}*`), compileGlob("*a*b".repeat(count)));
    assert.deepEqual([pair(20), pair(200)], [true, false]);
  });
});
