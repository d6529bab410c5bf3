import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compileRegexp } from "../../../src/cli/verify/regexp.ts";
import { RegexpError } from "../../../src/cli/verify/regexp-syntax.ts";
import fc from "../../support/fc.ts";

describe("regular expressions of names", () => {
  const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["abc", ["abc"], ["xabc", "abcx", "ab", ""]],
    ["^abc$", ["abc"], ["xabc", "abcx"]],
    ["a|bc", ["a", "bc"], ["ac", "abc", "b"]],
    ["https://github\\.com/acme/.*", ["https://github.com/acme/x@y"], ["https://githubXcom/acme/x", "x"]],
    ["(?i)Acme/[w-z]+", ["acme/WXYZ"], ["acme/", "acme/a"]],
    ["(a|b)*c?", ["", "abab", "c", "abc"], ["cc", "d"]],
    ["a{2,3}", ["aa", "aaa"], ["a", "aaaa"]],
    ["a{2}", ["aa"], ["a", "aaa"]],
    ["a{2,}", ["aa", "aaaaaa"], ["a"]],
    ["(?:ab)+?", ["ab", "abab"], ["", "aba"]],
    ["v\\d+\\.\\d+", ["v1.2", "v10.20"], ["v1x2", "v1."]],
    ["[^/]+/[\\w.-]+", ["a/b-c.d"], ["a/b/c"]],
    ["a$|b", ["a", "b"], ["ab"]],
    ["x^a", [], ["xa", "a", "x^a"]],
    ["a.c", ["abc", "a/c"], ["a\nc", "ac"]],
  ];
  for (const [expression, good, bad] of cases) {
    test(expression, () => {
      const { matches } = compileRegexp(expression);
      for (const name of good) assert.equal(matches(name), true, name);
      for (const name of bad) assert.equal(matches(name), false, name);
    });
  }

  test("what is not understood is refused instead of guessed at", () => {
    const refused = [
      "",
      "(",
      ")",
      "a)",
      "(a",
      "[",
      "[]",
      "[^]",
      "[^][^]",
      "[a",
      "]",
      "{",
      "a{2",
      "a{3,2}",
      "*",
      "a**",
      "^*",
      "\\b",
      "\\1",
    ];
    const more = [
      "(?=a)",
      "(?<n>a)",
      "(?!a)",
      "\\p{L}",
      "[[:alpha:]]",
      "[a-\\d]",
      "[z-a]",
      "\\",
      "a{1001}",
      "\\n",
    ];
    const large = ["x".repeat(1025), "(".repeat(40) + ")".repeat(40), "((a{100}){100}){100}"];
    for (const expression of [...refused, ...more, ...large]) {
      assert.throws(() => compileRegexp(expression), RegexpError, expression);
    }
  });

  test("no name makes it hang", () => {
    for (const expression of ["(a+)+b", "(a|a)*b", "(.*)*x", "(a*)*", "(a?){500}(a){500}"]) {
      const { matches } = compileRegexp(expression);
      assert.equal(matches(`${"a".repeat(2000)}!`), false, expression);
    }
    assert.equal(compileRegexp(".*").matches("a".repeat(5000)), false, "no name is as long");
  });

  test("matches what ECMAScript's engine matches from end to end", () => {
    const leaf = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\.", "/", "\\w", "\\d", "-");
    const { node } = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.tuple(tie("node"), tie("node")).map(([a, b]) => `${a}${b}`),
        fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(${a}|${b})`),
        fc
          .tuple(tie("node"), fc.constantFrom("*", "+", "?", "{2}", "{0,2}", "{1,}"))
          .map(([a, q]) => `(?:${a})${q}`),
      ),
    }));
    const name = fc.string({ unit: fc.constantFrom("a", "b", ".", "/", "1", "-"), maxLength: 7 });
    fc.assert(
      fc.property(node, name, (expression, text) => {
        assert.equal(
          compileRegexp(expression).matches(text),
          new RegExp(`^(?:${expression})$`).test(text),
          expression,
        );
      }),
    );
  });
});
