import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { actionsClaims } from "../../sigstore/github-actions.ts";
import { startSigstore } from "../../sigstore/instance.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import { assertEnded, vouchsafe } from "../vouchsafe.ts";

const WIDGET = { name: "widget-2.0.0.tar", bytes: Buffer.from("the widget") };
const FORK = actionsClaims({ repository: "mallory/widget" });

let directory: string;
const path = (name: string) => join(directory, name);
const $ = (...args: string[]) => vouchsafe(args, { cwd: directory });

const TEST = (time: string) => `apiVersion: vouchsafe.dev/v1
kind: PolicyTest
spec:
  policy: widget-release
  time: ${time}
  trustedRoots: [../root.json]
  artifact: ../${WIDGET.name}
  cases:
    - name: a release
      evidence: [{file: ../release.json}]
      expect: allow
    - name: a fork
      evidence: [{file: ../fork.json}]
      expect:
        deny:
          - builder
          - externalParameters.workflow.repository
          - rule:hosted-runner
          - signer
          - source.repository
`;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-policy-"));
  const sigstore = await startSigstore();
  await writeFile(path("root.json"), JSON.stringify(sigstore.trustedRoot));
  await writeFile(path(WIDGET.name), WIDGET.bytes);
  await writeFile(path("release.json"), await sigstore.signStatement(slsaProvenance([WIDGET])));
  const forked = await sigstore.signStatement(slsaProvenance([WIDGET], FORK), { claims: FORK });
  await writeFile(path("fork.json"), forked);
  await sigstore.close();
  await mkdir(path("mine"));
  await cp("test/demo/policy.yaml", path("mine/widget.yaml"));
  await writeFile(path("mine/widget.test.yaml"), TEST(new Date().toISOString()));
  await cp("policies", path("policies"), { recursive: true });
});
after(() => rm(directory, { recursive: true, force: true }));

/** Writes a file, runs what is asked with it, and takes it away again. */
async function withFile<T>(name: string, text: string, run: () => Promise<T>): Promise<T> {
  const before = await readFile(path(name), "utf8");
  await writeFile(path(name), text);
  try {
    return await run();
  } finally {
    await writeFile(path(name), before);
  }
}

describe("vouchsafe policy test", () => {
  test("evidence that was signed, under the trusted root that the test names", async () => {
    const ended = await $("policy", "test", "mine");
    assertEnded(
      ended,
      0,
      "stdout",
      /^mine\/widget\.test\.yaml\n {2}ok a release: allow\n {2}ok a fork: deny by builder, /,
    );
    assert.match(ended.stdout, /^passed 2 cases$/m);
  });

  test("without an argument those of policies/, however deep", async () => {
    const ended = await $("policy", "test");
    assertEnded(ended, 0, "stdout", /^policies\/library\/npm-package\.test\.yaml$/m);
    assert.match(ended.stdout, /^policies\/github-release\.test\.yaml$/m);
  });

  test("a policy that takes more than its tests expect: which case, where, and what was found", async () => {
    const text = await readFile(path("policies/github-release.yaml"), "utf8");
    const open = text.replace("    refs: [refs/tags/v*]", "    refs: [refs/**]");
    assert.notEqual(open, text);
    const ended = await withFile("policies/github-release.yaml", open, () => $("policy", "test", "policies"));
    assertEnded(
      ended,
      1,
      "stdout",
      /^ {2}not ok a source that is a branch: expected deny by externalParameters\.workflow\.ref, source\.ref; found deny by externalParameters\.workflow\.ref \(policies\/github-release\.test\.yaml:\d+\)$/m,
    );
    assert.match(ended.stdout, /^failed 1 of \d+ cases$/m);
  });

  test("for a machine: each case with what was expected and found", async () => {
    const ended = await $("--json", "policy", "test", "mine");
    const { passed, failed, cases } = JSON.parse(ended.stdout);
    assert.deepEqual([ended.status, passed, failed], [0, 2, 0]);
    const [{ file, line, policy, name, expected, found }] = cases;
    assert.deepEqual(
      { file, line, policy, name, expected, found },
      {
        file: "mine/widget.test.yaml",
        line: 9,
        policy: "widget-release",
        name: "a release",
        expected: { outcome: "allow", failing: [] },
        found: { outcome: "allow", failing: [] },
      },
    );
  });

  test("evidence that does not verify fails its case, whatever the case expects", async () => {
    const text = TEST(new Date().toISOString()).replace("  trustedRoots: [../root.json]\n", "");
    const ended = await withFile(
      "mine/widget.test.yaml",
      text.replace("expect: allow", "expect: {deny: [evidence]}"),
      () => $("policy", "test", "mine"),
    );
    assertEnded(ended, 1, "stdout", /^ {6}release\.json does not verify: .* \([a-z-]+\)$/m);
  });

  test("a mistake in the test is pointed at, and nothing is run", async () => {
    const text = TEST(new Date().toISOString()).replace("expect: allow", "expects: allow");
    const ended = await withFile("mine/widget.test.yaml", text, () => $("policy", "test", "mine"));
    const pointed =
      /^mine\/widget\.test\.yaml:11:7: unknown key `expects`: did you mean `expect`\?\n {8}expects: allow\n {8}\^$/m;
    assertEnded(ended, 1, "stderr", pointed);
    assert.equal(ended.stdout, "");
  });

  test("where there is no test the command line is wrong", async () => {
    await mkdir(path("empty"), { recursive: true });
    assertEnded(await $("policy", "test", "empty"), 2, "stderr", /There is no \.test\.yaml file in empty/);
    assertEnded(await $("policy", "test", "nowhere"), 2, "stderr", /nowhere cannot be read: it is not there/);
  });
});

describe("vouchsafe policy explain", () => {
  test("by the name of a policy in policies/, a sentence for each section", async () => {
    const ended = await $("policy", "explain", "github-release");
    assertEnded(ended, 0, "stdout", /^github-release: Built by the release workflow/);
    assert.match(ended.stdout, /^ {2}source\.refs +Its source's ref is refs\/tags\/v\*\.$/m);
  });

  const asked = (evidence: string) => [
    "policy",
    "explain",
    "mine/widget.yaml",
    "--artifact",
    WIDGET.name,
    "--trusted-root",
    "root.json",
    "--evidence",
    evidence,
  ];

  test("evidence that passes: each sentence holds", async () => {
    const ended = await $(...asked("release.json"));
    assertEnded(ended, 0, "stdout", /^ {2}holds signers .*\n/m);
    assert.doesNotMatch(ended.stdout, /fails/);
    assert.match(ended.stdout, /^passed widget-release$/m);
  });

  test("evidence that fails: which sentence, what was expected and what was found", async () => {
    const ended = await $(...asked("fork.json"));
    const failing =
      /^ {2}fails source\.repositories +Its source is https:\/\/github\.com\/acme\/widget\.\n {6}source\.repository: expected https:\/\/github\.com\/acme\/widget; found https:\/\/github\.com\/mallory\/widget \(evidence sha256:[0-9a-f]{12}…\)$/m;
    assertEnded(ended, 1, "stdout", failing);
    assert.match(ended.stdout, /^ {2}holds source\.refs/m);
    assert.match(ended.stdout, /^failed widget-release$/m);
  });

  test("of several pieces the nearest miss, and how many were looked at besides", async () => {
    const changed = (await readFile(path("mine/widget.yaml"), "utf8")).replace(
      '["widget-*"]',
      '["gadget-*"]',
    );
    const ended = await withFile("mine/widget.yaml", changed, () =>
      $(...asked("fork.json"), "--evidence", "release.json"),
    );
    assertEnded(ended, 1, "stdout", /^ {6}artifact\.name: expected gadget-\*; found widget-2\.0\.0\.tar/m);
    assert.equal(ended.stdout.match(/^ {2}fails /gm)?.length, 1);
    assert.match(ended.stdout, /1 more piece of evidence was looked at/);
  });

  test("evidence that does not verify counts for nothing, and why is said", async () => {
    const ended = await $(
      "policy",
      "explain",
      "mine/widget.yaml",
      "--artifact",
      WIDGET.name,
      "--evidence",
      "release.json",
    );
    assertEnded(
      ended,
      1,
      "stdout",
      /^ {2}release\.json does not count: .* \([a-z-]+\)\nfailed widget-release$/m,
    );
  });

  test("for a machine", async () => {
    const ended = await $("--json", ...asked("fork.json"));
    const { policy, outcome, sentences } = JSON.parse(ended.stdout);
    assert.deepEqual([ended.status, policy, outcome], [1, "widget-release", "failed"]);
    const failed = sentences.filter(({ checks }: { checks: { passed: boolean }[] }) =>
      checks.some(({ passed }) => !passed),
    );
    assert.deepEqual(
      failed.map(({ section }: { section: string }) => section),
      ["signers", "builders", "source.repositories", "externalParameters", "rule:hosted-runner"],
    );
  });

  test("programs are given the sentences too, without any evidence", async () => {
    const { stdout } = await $("policy", "explain", "github-release", "--json");
    const [{ sentences }] = JSON.parse(stdout).policies;
    assert.deepEqual(sentences[0].section, "artifacts");
    assert.match(sentences[1].text, /^It is signed by /);
  });

  test("what is missing on the command line is asked for", async () => {
    assertEnded(
      await $("policy", "explain", "nothing"),
      2,
      "stderr",
      /policies has no policy nothing; it has github-release/,
    );
    assertEnded(
      await $("policy", "explain", "policies", "--evidence", "fork.json"),
      2,
      "stderr",
      /--artifact/,
    );
    assertEnded(
      await $("policy", "explain", "policies", "--evidence", "fork.json", "--artifact", WIDGET.name),
      2,
      "stderr",
      /--policy-name chooses one of github-release, sigstore-npm/,
    );
  });
});

describe("vouchsafe policy lint", () => {
  test("a warning is shown with its place, and refuses with --strict alone", async () => {
    const text = await readFile(path("mine/widget.yaml"), "utf8");
    const wide = text.replace(/identity: .*/, "identity: https://github.com/**");
    await withFile("mine/widget.yaml", wide, async () => {
      const shown =
        /^widget\.yaml:13:17: warning: wider than one organisation: .* \[wide-identity\]\n {8}identity: https:\/\/github\.com\/\*\*\n {18}\^$/m;
      assertEnded(await $("policy", "lint", "mine"), 0, "stderr", shown);
      assertEnded(await $("policy", "lint", "--strict", "mine"), 1, "stderr", shown);
      const { findings } = JSON.parse((await $("--json", "policy", "lint", "mine")).stdout);
      assert.deepEqual(
        findings.map(({ level, rule, policy }: Record<string, string>) => [level, rule, policy]),
        [["warning", "wide-identity", "widget-release"]],
      );
    });
  });

  test("documents of all kinds are called ok, with the kind of those that are no verification policies", async () => {
    const ended = await $("policy", "lint", join(import.meta.dirname, "../../../policies"));
    for (const line of [
      /^ok github-release /m,
      /^ok WorkloadPolicy github-release /m,
      /^ok Builder npm-github /m,
    ])
      assertEnded(ended, 0, "stdout", line);
  });

  test("what can never pass is refused", async () => {
    const text = await readFile(path("mine/widget.yaml"), "utf8");
    const never = text.replace("    refs: [refs/heads/main]", "    refs: [refs/tags/*]");
    const ended = await withFile("mine/widget.yaml", never, () => $("policy", "lint", "mine"));
    assertEnded(ended, 1, "stderr", /error: it runs at refs\/heads\/main, which `source\.refs` excludes/);
    assert.equal(ended.stdout, "", "nothing is called ok");
  });
});
