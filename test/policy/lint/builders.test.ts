import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { at, findings, SOUND } from "../../support/linted.ts";

/** A builder as wide as its platform, and a policy with narrow signers of its own that uses it. */
const USED = `${SOUND.replace("{id: https://github.com/actions/runner/github-hosted, level: 2}", "{use: ci}")}---
apiVersion: vouchsafe.dev/v1
kind: Builder
metadata:
  name: ci
spec:
  ids: [https://github.com/actions/runner/github-hosted]
  level: 3
  signers:
    - {issuer: https://token.actions.githubusercontent.com, identity: "https://github.com/**"}
  buildTypes: [https://actions.github.io/buildtypes/workflow/v1]
`;

describe("builders to look at", () => {
  test("one that all the world may sign for is none, where the policy's own signers are few", () =>
    assert.deepEqual(findings(USED), []));

  const cases: readonly (readonly [
    name: string,
    from: string,
    to: string,
    expected: string,
    place: string,
  ])[] = [
    ["a level that is the builder's own", "{use: ci}", "{use: ci, level: 3}", "warning shadowed", "3}"],
    ["one that is used twice", "{use: ci}", "{use: ci}\n    - {use: ci}", "warning shadowed", "{use: ci}"],
    [
      "one that another takes the place of",
      "{use: ci}",
      "{use: ci}\n    - {id: https://github.com/actions/runner/*, level: 3}",
      "warning shadowed",
      "{use: ci}",
    ],
    [
      "one whose signers are others",
      'identity: "https://github.com/**"',
      'identity: "https://github.com/acme/builders/**"',
      "error never-passes",
      "ci}",
    ],
    [
      "one of other types of builds",
      "  source:\n",
      "  buildTypes: [https://make.example/**]\n  source:\n",
      "error never-passes",
      "ci}",
    ],
  ];
  for (const [name, from, to, expected, place] of cases) {
    test(name, () => {
      assert.ok(USED.includes(from));
      const text = USED.replace(from, to);
      assert.ok(findings(text).includes(`${expected} ${at(text, place)}`), findings(text).join("\n"));
    });
  }

  test("one that is lowered is not shadowed by itself, nor by one with rules of its own", () => {
    const other = "{id: https://github.com/actions/runner/github-hosted, level: 1}";
    assert.deepEqual(findings(USED.replace("{use: ci}", `{use: ci, level: 2}\n    - ${other}`)), []);
    const anyType = USED.replace(/ {2}buildTypes: .*\n$/, "");
    const ruled = `${anyType}  rules:\n    - {name: hosted, cel: 'signer.claims.runnerEnvironment == "github-hosted"'}\n`;
    const beside = (text: string) => findings(text.replace("{use: ci}", `{use: ci}\n    - ${other}`));
    assert.equal(beside(anyType).length, 1, "it takes all that the other takes");
    assert.deepEqual(beside(ruled), []);
  });

  test("one that no policy beside it uses", () => {
    const text = `${SOUND}---${USED.split("---")[1]}`;
    assert.deepEqual(findings(text), [`warning unused ${at(text, "ci")}`]);
  });
});
