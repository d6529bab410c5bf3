import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { explainPolicy } from "../../src/policy/explain.ts";
import { loadPolicySet } from "../../src/policy/load.ts";

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

describe("what a policy asks, in words", () => {
  test("each section is told once, in the policy's own terms", () => {
    const policy = loadPolicySet([{ name: "a.yaml", text: POLICY }]).policies.get("reviewed");
    assert.deepEqual(
      explainPolicy(policy?.spec ?? assert.fail("it loads")).map(
        ({ section, text }) => `${section}: ${text}`,
      ),
      [
        "artifacts: It calls the artifact app.",
        "signers: It is signed by the key reviewer.",
        "predicateTypes: It is of the type https://in-toto.io/attestation/human-review/v0.1.",
        "maxAge: It was signed at most 1 day ago, by a trusted time.",
        "source: Provenance and certificate do not contradict each other on the source.",
        'rule:taken: predicate.result == "PASSED" is true.',
        "containment: Or an artifact passes that holds it, as a manifest says.",
      ],
    );
  });

  test("further evidence and joins, an expression on one line", () => {
    const text = `${POLICY}  evidence:
    - name: scan
      predicateTypes: [https://in-toto.io/attestation/vulns/v0.2]
      signers: [{key: scanner}, {issuer: https://a.example, identity: "*@acme.example"}]
      maxAge: 36h
      rules:
        - name: sound
          cel: |-
            has(predicate.scanner)
              && has(predicate.scanner.result)
      require: {atLeast: 2}
  joins:
    - {name: both, cel: size(evidence.scan) >= 2, message: two of them}
`;
    const policy = loadPolicySet([{ name: "a.yaml", text }]).policies.get("reviewed");
    const sentences = explainPolicy(policy?.spec ?? assert.fail("it loads"));
    assert.deepEqual(
      sentences.slice(-3, -1).map((one) => one.text),
      [
        "Besides it there is evidence of the type https://in-toto.io/attestation/vulns/v0.2, by 2 different signers, " +
          "signed by the key scanner; or by *@acme.example, as https://a.example knows it. " +
          "It was signed at most 36 hours ago, by a trusted time. " +
          "has(predicate.scanner) && has(predicate.scanner.result) is true.",
        "two of them: size(evidence.scan) >= 2",
      ],
    );
  });

  test("builders by name, with all that is asked of them, and what the build took in", () => {
    const text = `${POLICY}  builders: [{use: ci, level: 1}, {id: "https://b/*", level: 2}]
  resolvedDependencies: {allow: [a, b], require: ["pkg:c"], pinned: true}
---
apiVersion: vouchsafe.dev/v1
kind: Builder
metadata: {name: ci}
spec:
  ids: ["https://ci"]
  level: 2
  signers: [{key: ci}]
  buildTypes: ["https://type"]
  rules: [{name: r, cel: has(signer.key), message: by a key}]
`;
    const policy = loadPolicySet([{ name: "a.yaml", text }]).policies.get("reviewed");
    const sentences = explainPolicy(policy?.spec ?? assert.fail("it loads"));
    const told = (check: string) => sentences.filter(({ asks }) => asks(check)).map((one) => one.text);
    assert.deepEqual(told("builder"), [
      "It was built by ci (level 1), as https://ci, by the word of the key ci, in a build of the type https://type, " +
        "where by a key: has(signer.key); or by https://b/* (level 2).",
    ]);
    for (const check of ["", ".allow", ".require", ".pinned"]) {
      assert.deepEqual(told(`resolvedDependencies${check}`), [
        "The build took in nothing but a or b, and took in pkg:c, and names each thing that it took in by its digest.",
      ]);
    }
  });

  test("the source, evidence about it, and whose word counts for what lies in what", () => {
    const commit = "0".repeat(40);
    const text = `${POLICY}  source: {versionedTags: [v1.2, v2], commits: ["${commit}"]}
  evidence:
    - name: source
      about: source
      predicateTypes: [https://slsa.dev/verification_summary/v1]
      signers: [{key: scs}]
      vsa: {verifierIds: [scs], resourceUris: ["git+https://a.example"], levels: [SLSA_SOURCE_LEVEL_3], sourceRefs: [refs/heads/main]}
  containment: {signers: [{key: packer}], maxAge: 2d}
`;
    const policy = loadPolicySet([{ name: "a.yaml", text }]).policies.get("reviewed");
    const told = explainPolicy(policy?.spec ?? assert.fail("it loads")).map((one) => one.text);
    const expected = [
      "Its source's tag is of the version v1.2 or v2.",
      `Its source's commit is ${commit}.`,
      "Besides it there is evidence about the commit that was built, of the type https://slsa.dev/verification_summary/v1, " +
        "signed by the key scs. It is a verification summary in which scs passed git+https://a.example at " +
        "SLSA_SOURCE_LEVEL_3, as what refs/heads/main pointed to.",
      "Or an artifact passes that holds it, as a manifest says or a statement of containment, signed by the key packer. " +
        "It was signed at most 2 days ago, by a trusted time.",
    ];
    assert.deepEqual(
      told.filter((one) => expected.includes(one)),
      expected,
    );
  });
});
