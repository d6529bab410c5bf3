import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { evaluate } from "../../src/policy/evaluate.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { VerificationPolicy } from "../../src/policy/policy.ts";
import { alone } from "../../src/policy/question.ts";
import type { Check } from "../../src/policy/types.ts";
import {
  anArtifact,
  GITHUB_BUILD_TYPE,
  HOSTED_RUNNER,
  keySigner,
  type Release,
  releaseOf,
  workflowSigner,
} from "../support/attestations.ts";
import { NOW } from "../support/policies.ts";
import { diagnosticsOf } from "../support/policy-files.ts";

const BUILDER = `apiVersion: vouchsafe.dev/v1
kind: Builder
metadata: {name: ci}
spec:
  ids: [${HOSTED_RUNNER}, "https://github.com/**"]
  level: 3
  signers: [{issuer: https://token.actions.githubusercontent.com, identity: "https://github.com/**"}]
  buildTypes: [${GITHUB_BUILD_TYPE}]
  rules:
    - name: hosted
      cel: signer.claims.runnerEnvironment == "github-hosted"
      message: on a runner that GitHub hosts
`;

const POLICY = `apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: {name: app}
spec:
  artifacts: {names: ["**"]}
  signers:
    - {issuer: https://token.actions.githubusercontent.com, identity: "https://github.com/acme/app/**"}
    - {key: laptop}
  builders:
    - use: ci
  externalParameters: {ignore: ["**"]}
`;

function loaded(policy = POLICY, builder = BUILDER): VerificationPolicy {
  const files = [policy, builder].map((text, index) => ({ name: `${index}.yaml`, text }));
  return loadPolicySet(files).policies.get("app") ?? assert.fail("not loaded");
}

function builderCheck(release: Omit<Release, "artifact">, policy = loaded()): Check & { slsaLevel: number } {
  const artifact = anArtifact();
  const { checks, slsaLevel } = evaluate(policy, alone(artifact, [releaseOf({ artifact, ...release })]), NOW);
  const check = checks.find(({ check }) => check === "builder");
  return { ...(check ?? assert.fail("no check of the builder")), slsaLevel };
}

describe("a builder that a policy uses is believed", () => {
  test("by its ids, from its signers, in builds of its types, where its rules hold", () => {
    const { passed, slsaLevel } = builderCheck({});
    assert.deepEqual([passed, slsaLevel], [true, 3]);
  });

  test("for no more than the policy lowers it to", () => {
    const policy = loaded(POLICY.replace("use: ci", "{use: ci, level: 1}"));
    assert.equal(builderCheck({}, policy).slsaLevel, 1);
  });

  const DOUBTS: readonly (readonly [string, Omit<Release, "artifact">, RegExp])[] = [
    ["under another id", { builderId: "https://ci.example" }, /^https:\/\/ci\.example$/],
    [
      "from a signer of the policy that is none of its own",
      { signer: keySigner("laptop") },
      /key laptop .*may not speak/,
    ],
    [
      "in a build of another type",
      { buildType: "https://make.example" },
      /not of the type https:\/\/make\.example$/,
    ],
    [
      "where a rule does not hold",
      { claims: { runnerEnvironment: "self-hosted" } },
      /`hosted` must hold \(on a runner that GitHub hosts\): false$/,
    ],
    [
      "where a rule has no answer",
      { signer: workflowSigner("https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1") },
      /`hosted` must hold .*: no answer/,
    ],
  ];
  for (const [name, release, actual] of DOUBTS) {
    test(`but not ${name}, and the check says so`, () => {
      const check = builderCheck(release);
      assert.equal(check.passed, false);
      assert.match(check.actual, actual);
    });
  }

  test("only after a signer of the policy signed: the builder's own may be all the world, and its rules cost", () => {
    const signer = workflowSigner("https://github.com/mallory/app/.github/workflows/x.yml@refs/heads/main", {
      runnerEnvironment: "github-hosted",
    });
    const check = builderCheck({ signer });
    assert.equal(check.passed, false);
    assert.match(check.actual, /rules are not evaluated: the signer is not trusted$/);
  });
});

describe("what is wrong with the use of a builder is pointed at", () => {
  const MISTAKES: readonly (readonly [string, string, string, RegExp])[] = [
    ["a misspelt name", "use: ci", "use: ic2", /^10:12 no Builder is named `ic2`; known here: ci$/],
    [
      "a name that is nearly right",
      "use: ci",
      "use: cj",
      /^10:12 no Builder is named `cj`: did you mean `ci`\?$/,
    ],
    [
      "a level that it is not trusted for",
      "use: ci",
      "{use: ci, level: 4}",
      /^10:24 `ci` is trusted for level 3/,
    ],
    ["no level at all", "use: ci", "{use: ci, level: 0}", /^10:24 a whole number from 1 to 4/],
    [
      "signers of the policy's own",
      "use: ci",
      "{use: ci, signers: [{key: k}]}",
      /^10:17 unknown key `signers`/,
    ],
  ];
  for (const [name, right, wrong, expected] of MISTAKES) {
    test(name, () => {
      const found = diagnosticsOf(POLICY.replace(right, wrong), BUILDER);
      assert.equal(found.length, 1);
      assert.match(found.map(({ line, column, message }) => `${line}:${column} ${message}`).join(), expected);
    });
  }

  test("a builder that is wrong itself is told of once", () => {
    const found = diagnosticsOf(POLICY, BUILDER.replace("level: 3", "level: 5"));
    assert.deepEqual(
      found.map(({ line, column }) => `${line}:${column}`),
      ["6:10"],
    );
  });

  test("a builder without signers, which everybody could claim to be", () => {
    const found = diagnosticsOf(POLICY, BUILDER.replace(/ {2}signers.*\n/, ""));
    assert.match(found.map(({ message }) => message).join(), /^`signers` is missing$/);
  });

  test("rules of builders count among the policy's, each of which may take a million steps", () => {
    const rules = Array.from({ length: 64 }, (_, index) => `    - {name: r${index}, cel: "true"}`).join("\n");
    const [, found] = [63, 64].map((count) =>
      diagnosticsOf(`${POLICY}  rules:\n${rules.split("\n").slice(0, count).join("\n")}\n`, BUILDER),
    );
    assert.match(found?.map(({ message }) => message).join() ?? "", /^65 rules and joins/);
  });
});

test("a verdict of a builder that has changed since is none of the policy's: its hash is another", () => {
  const other = BUILDER.replace("level: 3", "level: 2");
  assert.notEqual(loaded(POLICY, other).hash, loaded().hash);
  const unused = POLICY.replace("use: ci", `{id: ${HOSTED_RUNNER}, level: 2}`);
  assert.equal(loaded(unused, other).hash, loaded(unused).hash);
});
