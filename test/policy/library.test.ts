import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { findTests, type RanCase, runTests } from "../../src/cli/policy/test-run.ts";
import { tellTests } from "../../src/cli/policy/test-words.ts";
import { explainPolicy } from "../../src/policy/explain.ts";
import { lintPolicies } from "../../src/policy/lint.ts";
import { loadPolicySet, type PolicySet } from "../../src/policy/load.ts";
import { withShippedBuilders } from "../../src/policy-files.ts";
import { readPolicyFiles } from "../../src/services/activation/policy-directory.ts";
import { recordedTerminal } from "../support/recorded-terminal.ts";

const DIRECTORIES = ["policies", "policies/library"];

async function setOf(directory: string): Promise<PolicySet> {
  return loadPolicySet(await withShippedBuilders(await readPolicyFiles(directory)));
}

async function ranOf(directory: string): Promise<RanCase[]> {
  const { terminal, written } = recordedTerminal();
  const ran = await runTests({ terminal, json: false }, await findTests([directory]));
  assert.ok(ran, written.stderr);
  // Builders' are tested beside this, in shipped-builders.test.ts.
  return ran.filter(({ file }) => !file.startsWith("policies/builders/"));
}

/** What evidence can fail at this policy, by the names of all checks that its cases came past. */
function checksOf(set: PolicySet, policy: string, cases: readonly RanCase[]): Set<string> {
  const asked = new Set(cases.flatMap(({ evaluation }) => evaluation.checks.map(({ check }) => check)));
  const { names = [] } = set.policies.get(policy)?.spec.artifacts ?? {};
  if (names.some(({ text }) => text === "**")) asked.delete("artifact.name");
  return asked;
}

describe("the policies that are shipped", () => {
  test("a server that starts activates three files and the builders that they use: neither the library nor tests", async () => {
    const files = await withShippedBuilders(await readPolicyFiles("policies"));
    const names = files.map(({ name }) => name);
    assert.deepEqual(names, [
      "builders/github-actions.yaml",
      "builders/npm-github.yaml",
      "github-release-workload.yaml",
      "github-release.yaml",
      "sigstore-npm.yaml",
    ]);
  });

  test("every case of every policy goes as expected", async () => {
    const ran = await ranOf("policies");
    const failed = ran.filter(({ passed }) => !passed);
    assert.deepEqual(
      failed.map(({ file, test }) => `${file}:${test.line} ${test.name}`),
      [],
    );
  });

  test("on a terminal cases are ticked and crossed, elsewhere told in words", async () => {
    const ran = (await ranOf("policies/library")).slice(0, 2).map((one, i) => ({ ...one, passed: i === 0 }));
    const tty = recordedTerminal({ LANG: "C.UTF-8", NO_COLOR: "1" }, true);
    tellTests(ran, { terminal: tty.terminal, json: false });
    assert.match(
      tty.written.stdout,
      /^ {2}✓ built and reviewed by two: allow\n {2}✗ reviewed by one: expected /m,
    );
    const pipe = recordedTerminal();
    tellTests(ran, { terminal: pipe.terminal, json: false });
    assert.match(
      pipe.written.stdout,
      /^ {2}ok built and reviewed by two: allow\n {2}not ok reviewed by one: /m,
    );
  });

  test("each check of each case is told by one sentence of its policy, but that there is no evidence", async () => {
    const policies = new Map((await Promise.all(DIRECTORIES.map(setOf))).flatMap((set) => [...set.policies]));
    for (const { policy, evaluation } of await ranOf("policies")) {
      const sentences = explainPolicy(policies.get(policy)?.spec ?? assert.fail(policy));
      for (const { check } of evaluation.checks.filter((one) => one.check !== "evidence")) {
        assert.equal(sentences.filter(({ asks }) => asks(check)).length, 1, `${policy}: ${check}`);
      }
    }
  });

  for (const directory of DIRECTORIES) {
    test(`each policy of ${directory} is tested, and each of its checks fails in some case`, async () => {
      const set = await setOf(directory);
      const ran = await ranOf("policies");
      for (const policy of set.policies.keys()) {
        const cases = ran.filter((one) => one.policy === policy);
        assert.ok(
          cases.some(({ test }) => test.expected.outcome === "allow"),
          `${policy} allows something`,
        );
        const failing = new Set(cases.flatMap(({ found }) => found.failing));
        const never = [...checksOf(set, policy, cases)].filter((check) => !failing.has(check));
        assert.deepEqual(never, [], `checks of ${policy} that no case fails`);
      }
    });

    test(`nothing in ${directory} needs a warning`, async () => {
      const findings = lintPolicies(await setOf(directory)).filter(({ level }) => level !== "info");
      assert.deepEqual(findings, []);
    });
  }

  test("no policy passes anything before its placeholders are filled in", () => {
    for (const path of ["npm-package", "container-production", "agent-workload"]) {
      const text = readFileSync(`policies/library/${path}.yaml`, "utf8");
      assert.match(text, /identity: https:\/\/github\.com\/YOUR_ORG\/YOUR_REPO\//, path);
    }
  });
});
