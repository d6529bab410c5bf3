import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, test } from "node:test";
import { findTests, type RanCase, runTests } from "../../src/cli/policy/test-run.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import { explainPolicy } from "../../src/policy/explain.ts";
import { lintPolicies } from "../../src/policy/lint.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { alone } from "../../src/policy/question.ts";
import { testedPolicy } from "../../src/policy/run-test.ts";
import { withShippedBuilders } from "../../src/policy-files.ts";
import { readPolicyFiles } from "../../src/services/activation/policy-directory.ts";
import { anArtifact, attestationOf, workflowSigner } from "../support/attestations.ts";
import { NOW } from "../support/policies.ts";
import { recordedTerminal } from "../support/recorded-terminal.ts";

const set = loadPolicySet(await readPolicyFiles("policies/builders"));
const { terminal, written } = recordedTerminal();
const ran = await runTests({ terminal, json: false }, await findTests(["policies/builders"]));
assert.ok(ran, written.stderr);

function builderChecks(cases: readonly RanCase[]): string[] {
  const checks = cases.flatMap(({ evaluation }) => evaluation.checks);
  return checks.flatMap(({ check, passed, actual }) => (check === "builder" && !passed ? [actual] : []));
}

for (const builder of set.builders.values()) {
  describe(`the builder ${builder.name}`, () => {
    const { rules, buildTypes, level } = builder.spec;
    const cases = ran.filter(({ policy }) => policy === builder.name);

    test("stands in the file of its name, where it is looked for", () => {
      assert.equal(builder.file, `${builder.name}.yaml`);
      assert.ok(cases.every(({ file }) => basename(file) === `${builder.name}.test.yaml`));
    });

    test("is believed for its level, and every case goes as expected", () => {
      assert.deepEqual(
        cases.filter(({ passed }) => !passed).map(({ file, test }) => `${file}:${test.line} ${test.name}`),
        [],
      );
      const allowed = cases.filter(({ test }) => test.expected.outcome === "allow");
      assert.ok(allowed.length > 0);
      for (const { evaluation } of allowed) assert.equal(evaluation.slsaLevel, level);
    });

    test("is doubted for each reason that it gives", () => {
      const doubts = builderChecks(cases).join("\n");
      assert.match(doubts, /who may not speak for this builder$/m);
      if (buildTypes !== undefined) assert.match(doubts, /whose builds are not of the type /);
      for (const { name } of rules) assert.match(doubts, new RegExp(`of which \`${name}\` must hold`));
      assert.match(doubts, /^\S+$/m, "another id");
    });

    test("is told in one sentence", () => {
      const policy = testedPolicy(set, "Builder", builder.name);
      const sentences = explainPolicy(policy?.spec ?? assert.fail()).filter(({ asks }) => asks("builder"));
      assert.deepEqual(
        sentences.map(({ text }) => text.startsWith(`It was built by ${builder.name} (level ${level}), as `)),
        [true],
      );
    });
  });
}

test("builders alone are a library: nothing in it needs a look", () =>
  assert.deepEqual(lintPolicies(set), []));

describe("docs/builders.md", () => {
  const page = readFileSync("docs/builders.md", "utf8");

  test("lists each builder with its level", () => {
    const rows = [...page.matchAll(/^\| `([a-z-]+)` \| ([1-4]) \|/gm)].map(([, name, level]) => [
      name,
      Number(level),
    ]);
    const builders = [...set.builders.values()].map(({ name, spec }) => [name, spec.level]);
    assert.deepEqual(rows.sort(), builders.sort());
  });

  test("lists each key that a builder is known by", () => {
    const keys = [...set.builders.values()].flatMap(({ spec }) => spec.signers);
    const section = page.slice(page.indexOf("## Keys"), page.indexOf("## What has no builder"));
    for (const signer of keys)
      if (signer.case === "key") assert.ok(section.includes(`| \`${signer.name}\` |`));
  });

  test("takes what PyPI's publisher signed, and nobody else", () => {
    const [, indented = ""] = /^ {2}```yaml\n(.*?)^ {2}```$/ms.exec(page) ?? [];
    const files = [{ name: "pypi.yaml", text: indented.replaceAll(/^ {2}/gm, "") }];
    const policy = loadPolicySet(files).policies.get("pypi-app") ?? assert.fail();
    const outcomeOf = (identity: string) => {
      const artifact = anArtifact();
      const published = attestationOf({
        artifact,
        subjectName: "acme_app-1.2.3.tar.gz",
        predicateType: "https://docs.pypi.org/attestations/publish/v1",
        predicate: {},
        signer: workflowSigner(identity, { runnerEnvironment: "github-hosted" }),
      });
      return evaluate(policy, alone(artifact, [published]), NOW).outcome;
    };
    const workflow = ".github/workflows/publish.yml@refs/tags/v1.2.3";
    assert.equal(outcomeOf(`https://github.com/acme/app/${workflow}`), "passed");
    assert.equal(outcomeOf(`https://github.com/mallory/app/${workflow}`), "failed");
  });
});

describe("a policy that uses a shipped builder", () => {
  const policy = (builders: string) => ({
    name: "app.yaml",
    text: `apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: {name: app}
spec:
  artifacts: {names: ["**"]}
  signers:
    - issuer: https://token.actions.githubusercontent.com
      identity: https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v*
  builders: ${builders}
`,
  });

  test("is read together with that one, and no other", async () => {
    const files = await withShippedBuilders([policy("[{use: npm-github}]")]);
    assert.deepEqual(
      files.map(({ name }) => name),
      ["app.yaml", "builders/npm-github.yaml"],
    );
    assert.deepEqual(
      lintPolicies(loadPolicySet(files)).filter(({ level }) => level !== "info"),
      [],
    );
  });

  test("keeps the builder that is its own, whatever the shipped one of that name says", async () => {
    const own = {
      name: "npm-github.yaml",
      text: set.files.find(({ name }) => name === "npm-github.yaml")?.text ?? "",
    };
    const files = [policy("[{use: npm-github}]"), own];
    assert.deepEqual(await withShippedBuilders(files), files);
  });

  test("and misspells it is told the nearest that is shipped", async () => {
    const files = await withShippedBuilders([policy("[{use: npm-githb}, {use: google-cloud-build}]")]);
    assert.throws(() => loadPolicySet(files), {
      code: "invalid-policy",
      message: /app\.yaml:9:20: no Builder is named `npm-githb`: did you mean `npm-github`\?$/,
    });
  });

  test("is no path to other files", async () => {
    const files = await withShippedBuilders([policy("[{use: ../github-release}]")]);
    assert.ok(files.every(({ name }) => !name.includes("..")));
    assert.throws(() => loadPolicySet(files), { code: "invalid-policy" });
  });
});
