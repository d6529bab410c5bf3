import assert from "node:assert/strict";
import { test } from "node:test";
import { compileGlob, GlobError, MAX_NAME } from "../../src/policy/glob.ts";
import fc from "../support/fc.ts";

const WORKFLOW = "https://github.com/acme/app/.github/workflows/release.yml";

const MATCHES: readonly [pattern: string, candidate: string, expected: boolean][] = [
  // Exact: nothing is a prefix, a suffix, or a case-insensitive equal.
  ["a@example.com", "a@example.com", true],
  ["a@example.com", "a@example.com.evil.org", false],
  ["a@example.com", "xa@example.com", false],
  ["a@example.com", "A@example.com", false],
  ["a.b", "aXb", false],
  // `*` stays within a segment.
  [`${WORKFLOW}@refs/tags/v*`, `${WORKFLOW}@refs/tags/v1.2.3`, true],
  [`${WORKFLOW}@refs/tags/v*`, `${WORKFLOW}@refs/tags/v`, true],
  [`${WORKFLOW}@refs/tags/v*`, `${WORKFLOW}@refs/tags/v1/evil`, false],
  [`${WORKFLOW}@refs/tags/v*`, `${WORKFLOW}@refs/heads/v1`, false],
  ["https://github.com/acme/*", "https://github.com/acme/app", true],
  ["https://github.com/acme/*", "https://github.com/acme/app/x", false],
  ["https://github.com/acme/*", "https://github.com/acme-evil/app", false],
  ["*/app", "acme/app", true],
  ["*/app", "x/acme/app", false],
  // `**` crosses segments.
  ["https://github.com/acme/**", "https://github.com/acme/app/.github/workflows/x.yml@refs/heads/main", true],
  ["https://github.com/acme/**", "https://github.com/acme", false],
  ["**", "", true],
  ["**", "a/b", true],
  ["**/x", "a/b/x", true],
  ["**a*b", "x/y/a1b", true],
  ["**a*b", "x/a/b", false],
  ["a**b*c", "a/b/bxc", true],
  // What stands before the first star and what stands after the last share no character.
  ["ab*ba", "aba", false],
  ["ab*ba", "abba", true],
  // Of what stars stand for so much is looked at: more matches only where the rest may be anything.
  ["a*c", `a${"b".repeat(MAX_NAME)}c`, true],
  ["a*c", `a${"b".repeat(MAX_NAME + 1)}c`, false],
  ["a**", "a".repeat(10 * MAX_NAME), true],
  ["a**c", `${"a".repeat(10 * MAX_NAME)}c`, true],
  ["a**/*c", `a${"b".repeat(MAX_NAME)}/c`, false],
  // Characters outside the basic plane and line ends are characters like others.
  ["a*c", "a\u{1f680}c", true],
  ["a*c", "a\nc", true],
  // Escapes.
  ["a\\*c", "a*c", true],
  ["a\\*c", "abc", false],
  ["dependabot\\[bot\\]@*", "dependabot[bot]@example.com", true],
  ["what\\?", "what?", true],
  ["a\\\\b", "a\\b", true],
  ["\\^a\\$", "^a$", true],
  ["a^b$c", "a^b$c", true],
];

for (const [pattern, candidate, expected] of MATCHES) {
  test(`${pattern} ${expected ? "matches" : "does not match"} ${JSON.stringify(candidate).slice(0, 90)}`, () => {
    assert.equal(compileGlob(pattern).matches(candidate), expected);
  });
}

const MISTAKES: readonly [pattern: string, offset: number][] = [
  ["", 0],
  ["a***", 1],
  ["refs/tags/v[0-9]*", 11],
  ["{a,b}", 0],
  ["v?", 1],
  ["a]", 1],
  ["^https://github.com/acme/", 0],
  ["https://github.com/acme/.*$", 26],
  ["a\\", 1],
  ["a".repeat(1025), 1024],
];

for (const [pattern, offset] of MISTAKES) {
  test(`${pattern.slice(0, 30)} is refused at offset ${offset}`, () => {
    assert.throws(
      () => compileGlob(pattern),
      (error) => error instanceof GlobError && error.offset === offset,
    );
  });
}

test("a glob matches what the regular expression of the same meaning matches", () => {
  const piece = fc.constantFrom("a", "b", "/", "*", "**");
  const pattern = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(""));
  const candidate = fc
    .array(fc.constantFrom("a", "b", "/"), { maxLength: 12 })
    .map((units) => units.join(""));
  fc.assert(
    fc.property(pattern, candidate, (glob, text) => {
      fc.pre(!glob.includes("***"));
      const source = glob.replaceAll("**", "\0").replaceAll("*", "[^/]*").replaceAll("\0", "[^]*");
      assert.equal(compileGlob(glob).matches(text), new RegExp(`^${source}$`, "u").test(text));
    }),
    { numRuns: 2_000 },
  );
});

test("patterns that make backtracking matchers explode are answered step by step", () => {
  // A backtracking matcher needs more than 10^30 steps for this; a thread that took them would not return.
  const glob = compileGlob(`${"*a".repeat(60)}b`);
  assert.equal(glob.matches("a".repeat(2_000)), false);
});

test("of a text of megabytes a glob that takes any end does not see it", () => {
  const long = `a/${"b".repeat(16 * 1024 * 1024)}`;
  const since = performance.now();
  for (let i = 0; i < 20; i += 1) assert.equal(compileGlob("*/**").matches(long), true);
  assert.ok(performance.now() - since < 3_000);
});

test("of a text of megabytes no glob sees more than a name may have", () => {
  const long = `${"a".repeat(16 * 1024 * 1024)}b`;
  const since = performance.now();
  for (let i = 0; i < 20; i += 1) assert.equal(compileGlob("**a*c*b").matches(long), false);
  assert.ok(performance.now() - since < 3_000);
});
