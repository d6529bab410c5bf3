import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sha256 } from "../../src/in-toto-attestation/index.ts";
import { explainPolicy } from "../../src/policy/explain.ts";
import { runCase } from "../../src/policy/run-test.ts";
import { readTestFile } from "../../src/policy/test-file.ts";
import { at, findings, SOUND } from "../support/linted.ts";
import { policyOf } from "../support/policies.ts";
import { diagnosticsOf, RELEASE } from "../support/policy-files.ts";

function asking(approvals: string, text = RELEASE): string {
  return text.replace("\nspec:\n", `\nspec:\n  approvals: ${approvals}\n`);
}

describe("a policy that asks for approvals", () => {
  const written = "{required: 2, from: [{approver: alice}, {key: bob}], expiresAfter: 7d}";

  test("loads", () => assert.deepEqual(diagnosticsOf(asking(written)), []));

  const mistakes: readonly (readonly [string, string, string])[] = [
    ["none needed", "required: 2", "required: 0"],
    ["more than are counted", "required: 2", "required: 17"],
    ["an unknown key", "required: 2", "require: 2"],
    ["nobody who may", "[{approver: alice}, {key: bob}]", "[]"],
    ["no end", ", expiresAfter: 7d", ""],
    ["an end that is no duration", "7d", "a week"],
    ["an approver of two kinds", "{key: bob}", "{key: bob, approver: bob}"],
    ["an approver of no kind", "{key: bob}", "{}"],
    ["an issuer without an identity", "{key: bob}", '{issuer: "https://x.example"}'],
    ["an issuer beside a token", "{key: bob}", '{approver: bob, issuer: "https://x.example"}'],
    ["a pattern of another dialect", "approver: alice", "approver: 'ali[ck]e'"],
  ];
  for (const [what, right, wrong] of mistakes) {
    test(`is refused with ${what}`, () => {
      const text = asking(written.replace(right, wrong));
      const lines = diagnosticsOf(text).map(({ line }) => line);
      assert.ok(lines.length > 0 && lines.every((line) => line === 6), `${lines}`);
    });
  }

  test("is pointed at where so many people are never there", () => {
    const from = (required: number, who: string) =>
      asking(`{required: ${required}, from: [${who}], expiresAfter: 7d}`, SOUND);
    const never = from(2, "{approver: alice}, {key: Alice}");
    assert.deepEqual(findings(never), [`error never-passes ${at(never, "2, from")}`]);
    assert.deepEqual(findings(from(2, "{approver: alice}, {key: bob}")), []);
    assert.deepEqual(findings(from(3, "{approver: alice}, {approver: 'managers/*'}")), []);
  });

  test("is explained", () => {
    const spec = policyOf(`
  artifacts: {names: ["**"]}
  signers: [{key: builder}]
  approvals: ${written}
`).spec;
    const [said] = explainPolicy(spec).filter(({ section }) => section === "approvals");
    assert.match(said?.text ?? "", /2 different people approved it within 7 days.*alice or key bob/);
    assert.ok(said?.asks("approvals"));
  });

  test("is tested with the approvals of each case", () => {
    const policy = policyOf(`
  artifacts: {names: ["**"]}
  signers: [{key: bob}]
  approvals: {required: 1, from: [{approver: alice}, {approver: bob}], expiresAfter: 1d}
`);
    const text = `apiVersion: vouchsafe.dev/v1
kind: PolicyTest
spec:
  policy: p
  time: 2026-03-01T12:00:00Z
  evidence:
    scan: {signer: {key: bob}, predicateType: https://in-toto.io/attestation/vulns/v0.2, predicate: {}}
  cases:
    - {name: approved, evidence: [scan], approvals: [alice], expect: allow}
    - {name: not yet, evidence: [scan], expect: {deny: [approvals]}}
    - {name: by a stranger, evidence: [scan], approvals: [mallory], expect: {deny: [approvals]}}
    - {name: by the builder, evidence: [scan], approvals: [bob], expect: {deny: [approvals]}}
    - {name: without evidence, approvals: [alice], expect: {deny: [evidence]}}
`;
    const { tests, diagnostics } = readTestFile({ name: "p.test.yaml", text }, () => true);
    assert.deepEqual(diagnostics, []);
    const went = tests.flatMap(({ cases }) => cases.map((one) => runCase(policy, one, sha256("app"), [])));
    assert.deepEqual(
      went.map(({ found }) => [found.outcome, ...found.failing].join(" ")),
      ["allow", "deny approvals", "deny approvals", "deny approvals", "deny evidence"],
    );
    assert.ok(went.every(({ passed }) => passed));
  });
});
