import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sha256 } from "../../src/in-toto-attestation/index.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { runCase } from "../../src/policy/run-test.ts";
import { readTestFile } from "../../src/policy/test-file.ts";

const POLICY = `apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: {name: reviewed}
spec:
  artifacts: {names: ["app"]}
  signers: [{key: reviewer}]
  predicateTypes: [https://in-toto.io/attestation/human-review/v0.1]
  maxAge: 1d
  rules:
    - {name: taken, cel: predicate.result == "PASSED"}
`;

const TEST = `apiVersion: vouchsafe.dev/v1
kind: PolicyTest
spec:
  policy: reviewed
  time: 2026-03-01T12:00:00Z
  evidence:
    review:
      signer: {key: reviewer}
      subject: {name: app}
      predicateType: https://in-toto.io/attestation/human-review/v0.1
      predicate: {result: PASSED, notes: [a, {b: 1}]}
  cases:
    - name: reviewed
      evidence: [review]
      expect: allow
    - name: refused
      evidence:
        - like: review
          but: {predicate: {result: FAILED}}
      expect: {deny: ["rule:taken"]}
`;

const POLICIES = loadPolicySet([{ name: "reviewed.yaml", text: POLICY }]).policies;

function read(text: string) {
  return readTestFile(
    { name: "reviewed.test.yaml", text },
    (kind, name) => kind === "VerificationPolicy" && POLICIES.has(name),
  );
}

/** How the cases went: \`passed\`, or what was found in place of what was expected. */
function went(text: string): string[] {
  const { tests, diagnostics } = read(text);
  assert.deepEqual(diagnostics, []);
  return tests.flatMap(({ policy, cases }) =>
    cases.map((one) => {
      const found = POLICIES.get(policy);
      assert.ok(found);
      const result = runCase(found, one, sha256("app"), []);
      return result.passed ? "passed" : [result.found.outcome, ...result.found.failing].join(" ");
    }),
  );
}

describe("tests of policies", () => {
  test("cases that go as expected", () => assert.deepEqual(went(TEST), ["passed", "passed"]));

  const cases: readonly (readonly [string, string, string, readonly string[]])[] = [
    ["allowed where it should not be", "{result: FAILED}", "{result: PASSED}", ["passed", "allow"]],
    ["denied where it should not be", "{result: PASSED,", "{result: passed,", ["deny rule:taken", "passed"]],
    [
      "denied by less than expected",
      '["rule:taken"]',
      '["rule:taken", maxAge]',
      ["passed", "deny rule:taken"],
    ],
    [
      "denied by more than expected",
      "but: {",
      "but: {subject: {name: tool}, ",
      ["passed", "deny artifact.name rule:taken"],
    ],
    ["denied by something else", '["rule:taken"]', "[signer]", ["passed", "deny rule:taken"]],
    ["a member that is taken out", "{result: FAILED}", "{result: null}", ["passed", "passed"]],
    [
      "the case's own time",
      "expect: allow",
      "expect: allow\n      time: 2026-03-09T12:00:00Z",
      ["passed", "passed"],
    ],
    [
      "evidence that grew old",
      "subject: {name: app}",
      "subject: {name: app}\n      signedAt: 2026-02-01T00:00:00Z",
      ["deny maxAge", "deny maxAge rule:taken"],
    ],
    [
      "evidence without a trusted time",
      "subject: {name: app}",
      "subject: {name: app}\n      signedAt: none",
      ["deny maxAge", "deny maxAge rule:taken"],
    ],
    [
      "evidence about another artifact",
      "subject: {name: app}",
      `subject: {name: app, digest: "sha256:${"0".repeat(64)}"}`,
      ["deny evidence", "deny evidence"],
    ],
  ];
  for (const [name, from, to, expected] of cases) {
    test(name, () => {
      assert.ok(TEST.includes(from));
      assert.deepEqual(went(TEST.replace(from, to)), expected);
    });
  }

  test("evidence about another artifact, and manifests that hold the one in question", () => {
    const [image, index] = [sha256("image"), sha256("index")];
    const text = TEST.replace("subject: {name: app}", `subject: {name: app, digest: "${index}"}`).replace(
      "  cases:",
      `  artifact: "${image}"\n  manifests: [{digest: "${index}", contains: ["${image}", "${sha256("app")}"]}]\n  cases:`,
    );
    assert.deepEqual(went(text), ["passed", "deny containment evidence rule:taken"]);
    const own = text.replace(
      "expect: allow",
      `manifests: [{digest: "${image}", contains: ["${index}"]}]\n      expect: allow`,
    );
    assert.deepEqual(went(own)[0], "deny evidence");
  });

  test("witnesses, which a policy may ask for", () => {
    const text = POLICY.replace("  maxAge: 1d", "  thresholds: {logEntries: 2, timestamps: 1}");
    const policy = loadPolicySet([{ name: "a.yaml", text }]).policies.get("reviewed");
    const found = (witnesses: string) => {
      const stated = TEST.replace(
        "subject: {name: app}",
        `subject: {name: app}\n      witnesses: ${witnesses}`,
      );
      const [one] = read(stated).tests[0]?.cases ?? [];
      assert.ok(one && policy);
      return runCase(policy, one, sha256("app"), []).found.failing;
    };
    assert.deepEqual(found("{logEntries: 2, timestamps: 1}"), []);
    assert.deepEqual(found("{logEntries: 1, timestamps: 1}"), ["thresholds.logEntries"]);
    assert.deepEqual(found("{scts: 8}"), ["thresholds.logEntries", "thresholds.timestamps"]);
  });

  test("what is said by a key and by a certificate is told apart", () => {
    const text = TEST.replace(
      "signer: {key: reviewer}",
      "signer: {issuer: https://a.example, identity: reviewer}",
    );
    assert.deepEqual(went(text), ["deny rule:taken signer", "deny rule:taken signer"]);
  });
});

describe("tests that do not load", () => {
  const cases: readonly (readonly [string, string, string, string])[] = [
    [
      "a misspelt key",
      "  policy: reviewed",
      "  polcy: reviewed",
      "4:3: unknown key `polcy`: did you mean `policy`?",
    ],
    [
      "a policy that there is not",
      "policy: reviewed",
      "policy: reviwed",
      "4:11: no VerificationPolicy beside this file is named `reviwed`",
    ],
    [
      "a builder that there is not",
      "policy: reviewed",
      "builder: reviwed",
      "4:12: no Builder beside this file is named `reviwed`",
    ],
    [
      "a policy and a builder at once",
      "  policy: reviewed",
      "  policy: reviewed\n  builder: reviewed",
      "4:3: a test is of a `policy` or of a `builder`",
    ],
    [
      "a day that there is not",
      "2026-03-01T",
      "2026-02-30T",
      "5:9: 2026-02-30T12:00:00Z is not a time that there is",
    ],
    [
      "a month that there is not",
      "2026-03-01T",
      "2026-13-01T",
      "5:9: 2026-13-01T12:00:00Z is not a time that there is",
    ],
    [
      "a second that there is not",
      "12:00:00Z",
      "12:00:60Z",
      "5:9: 2026-03-01T12:00:60Z is not a time that there is",
    ],
    [
      "a time with an offset",
      "12:00:00Z",
      "12:00:00+01:00",
      "5:9: a time such as 2026-03-01T12:00:00Z is expected",
    ],
    [
      "evidence that nobody named",
      "[review]",
      "[reviw]",
      "14:18: `evidence` of this test has no `reviw`: did you mean `review`?",
    ],
    [
      "another outcome",
      "expect: allow",
      "expect: alow",
      "15:15: `allow`, or `deny` with the checks that fail, is expected",
    ],
    [
      "a denial by nothing",
      '{deny: ["rule:taken"]}',
      "{deny: []}",
      "20:22: the list is empty: nothing would match",
    ],
    [
      "a signer of two kinds",
      "{key: reviewer}",
      "{key: reviewer, issuer: a}",
      "8:7: a signer is either `issuer` with `identity`, or `key`",
    ],
    [
      "half a signer",
      "{key: reviewer}",
      "{issuer: a}",
      "8:7: a signer is either `issuer` with `identity`, or `key`",
    ],
    [
      "a claim that there is not",
      "{key: reviewer}",
      "{issuer: a, identity: b, claims: {runnerEnviroment: c}}",
      "8:49: unknown key `runnerEnviroment`: did you mean `runnerEnvironment`?",
    ],
    [
      "a predicate type that is not taken",
      "human-review/v0.1\n      predicate:",
      "human-reviw/v0.1\n      predicate:",
      "8:7: evidence of the type https://in-toto.io/attestation/human-reviw/v0.1 is not taken",
    ],
    [
      "a change to nobody",
      "but: {predicate: {result: FAILED}}",
      "but: {signer: {key: null}}",
      "18:11: a signer is either `issuer` with `identity`, or `key`",
    ],
    [
      "a change to signed evidence",
      "review:\n      signer: {key: reviewer}\n      subject: {name: app}\n      predicateType: https://in-toto.io/attestation/human-review/v0.1\n      predicate: {result: PASSED, notes: [a, {b: 1}]}",
      "review: {file: review.json}",
      "14:11: `review` is signed: what it says cannot be changed",
    ],
    [
      "an anchor",
      "evidence: [review]",
      "evidence: &e [review]",
      "14:20: anchors are not taken: write the value out where it is needed",
    ],
  ];
  for (const [name, from, to, expected] of cases) {
    test(name, () => {
      assert.ok(TEST.includes(from), from);
      const [first] = read(TEST.replace(from, to)).diagnostics;
      assert.equal(`${first?.line}:${first?.column}: ${first?.message}`, expected);
    });
  }

  test("a file without a test", () => {
    assert.deepEqual(
      read("# nothing\n").diagnostics.map(({ message }) => message),
      ["there is no test in the file"],
    );
  });

  test("a test is no policy", () => {
    assert.throws(() => loadPolicySet([{ name: "a.yaml", text: TEST }]), { code: "invalid-policy" });
  });
});
