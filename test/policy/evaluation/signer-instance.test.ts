import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hasCode } from "../../../src/errors.ts";
import { sha256 } from "../../../src/in-toto-attestation/index.ts";
import { evaluate } from "../../../src/policy/evaluate.ts";
import { explainPolicy } from "../../../src/policy/explain.ts";
import { lintPolicies } from "../../../src/policy/lint.ts";
import { loadPolicySet } from "../../../src/policy/load.ts";
import { alone } from "../../../src/policy/question.ts";
import { runCase } from "../../../src/policy/run-test.ts";
import { readTestFile } from "../../../src/policy/test-file.ts";
import type { VerifiedAttestation } from "../../../src/verify/verified-attestation.ts";
import { anArtifact, attestationOf } from "../../support/attestations.ts";
import { missesOf, NOW, policyOf } from "../../support/policies.ts";

const TYPE = "https://in-toto.io/attestation/human-review/v0.1";

const reviewedBy = (signer: string) => `
  artifacts: {names: ["app"]}
  signers: [${signer}]
  predicateTypes: [${TYPE}]
  rules: [{name: taken, cel: predicate.ok == true}]
`;
const ALICE = "issuer: https://accounts.google.com, identity: alice@acme.example";
const ANY = policyOf(reviewedBy(`{${ALICE}}`));
const PINNED = policyOf(reviewedBy(`{${ALICE}, instance: public-good}`));

describe("the instance that vouches for a signer", () => {
  const artifact = anArtifact();
  const review = (instance: string, ok = true, time = NOW - 1_000) =>
    attestationOf({
      artifact,
      subjectName: "app",
      predicateType: TYPE,
      predicate: { ok },
      signer: {
        case: "certificate",
        issuer: "https://accounts.google.com",
        identity: "alice@acme.example",
        claims: {},
        instance,
      },
      times: [time],
    });
  const outcome = (policy: typeof ANY, ...evidence: VerifiedAttestation[]) =>
    evaluate(policy, alone(artifact, evidence), NOW).outcome;

  test("is the one that the policy names, or any that is trusted", () => {
    assert.equal(outcome(ANY, review("public-good")), "passed");
    assert.equal(outcome(ANY, review("staging")), "passed");
    assert.equal(outcome(PINNED, review("public-good")), "passed");
    assert.deepEqual(missesOf(PINNED, artifact, review("staging")), ["rule:taken", "signer"]);
  });

  test("stands in the check that asks for it", () => {
    const [signer] = evaluate(PINNED, alone(artifact, [review("staging")]), NOW).checks;
    assert.equal(signer?.expected, "alice@acme.example under https://accounts.google.com of public-good");
    assert.equal(signer?.actual, "alice@acme.example under https://accounts.google.com of staging");
  });

  test("that the policy does not name displaces nothing by newer evidence", () => {
    assert.equal(outcome(PINNED, review("public-good", true, 1_000), review("staging", false)), "passed");
  });

  test("is what rules can read", () => {
    const asks = policyOf(`
  artifacts: {names: ["app"]}
  signers: [{${ALICE}}]
  rules: [{name: ours, cel: signer.instance == "public-good"}]
`);
    assert.equal(outcome(asks, review("public-good")), "passed");
    assert.deepEqual(missesOf(asks, artifact, review("staging")), ["rule:ours"]);
  });

  test("is told in words", () => {
    const told = explainPolicy(PINNED.spec).find(({ section }) => section === "signers");
    assert.equal(
      told?.text,
      "It is signed by alice@acme.example, as https://accounts.google.com knows it and public-good certifies it.",
    );
  });
});

const written = (spec: string) =>
  `apiVersion: vouchsafe.dev/v1\nkind: VerificationPolicy\nmetadata: {name: p}\nspec:${spec}`;

describe("a written signer", () => {
  const refused: readonly (readonly [name: string, spec: string])[] = [
    ["an instance alone", reviewedBy("{instance: public-good}")],
    ["an instance of a key", reviewedBy("{key: k, instance: public-good}")],
    [
      "an instance alone that approves",
      `${reviewedBy(`{${ALICE}}`)}  approvals: {required: 1, from: [{instance: a}], expiresAfter: 1d}\n`,
    ],
  ];
  for (const [name, spec] of refused) {
    test(`is not ${name}`, () => {
      assert.throws(
        () => loadPolicySet([{ name: "p.yaml", text: written(spec) }]),
        (error) => hasCode(error, "invalid-policy"),
      );
    });
  }

  test("of one instance is taken by one of any, and not the other way round", () => {
    const shadowed = (signers: string) =>
      lintPolicies(loadPolicySet([{ name: "p.yaml", text: written(reviewedBy(signers)) }])).filter(
        ({ rule }) => rule === "shadowed",
      ).length;
    const pinned = (instance: string) => `{${ALICE}, instance: ${instance}}`;
    assert.equal(shadowed(`{${ALICE}}, ${pinned("a")}`), 1);
    assert.equal(shadowed(`${pinned("a")}, ${pinned("b")}`), 0);
  });

  test("may be of an instance in tests of policies", () => {
    const [tested] = readTestFile(
      {
        name: "p.test.yaml",
        text: `apiVersion: vouchsafe.dev/v1
kind: PolicyTest
spec:
  policy: p
  time: 2026-03-01T12:00:00Z
  evidence:
    review:
      signer: {${ALICE}, instance: public-good}
      subject: {name: app}
      predicateType: ${TYPE}
      predicate: {ok: true}
  cases:
    - {name: ours, evidence: [review], expect: allow}
    - name: of another
      evidence: [{like: review, but: {signer: {instance: staging}}}]
      expect: {deny: ["rule:taken", signer]}
    - name: of one that is not said
      evidence: [{like: review, but: {signer: {instance: null}}}]
      expect: {deny: ["rule:taken", signer]}
`,
      },
      () => true,
    ).tests;
    const results = tested?.cases.map((one) => runCase(PINNED, one, sha256("app"), []).passed);
    assert.deepEqual(results, [true, true, true]);
  });
});
