import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../src/in-toto-attestation/index.ts";
import { runCase } from "../../src/policy/run-test.ts";
import { readTestFile } from "../../src/policy/test-file.ts";
import { policyOf } from "../support/policies.ts";

const COMMIT = "a".repeat(40);
const POLICY = policyOf(`
  artifacts: {names: [app]}
  signers: [{key: builder}]
  source: {repositories: [https://a.example]}
  evidence:
    - name: source
      about: source
      predicateTypes: [https://slsa.dev/verification_summary/v1]
      signers: [{key: scs}]
      vsa: {verifierIds: [scs], resourceUris: [git+https://a.example]}
`);
const TEST = `apiVersion: vouchsafe.dev/v1
kind: PolicyTest
spec:
  policy: p
  time: 2026-03-01T12:00:00Z
  cases:
    - name: tagged
      evidence:
        - signer: {key: builder}
          subject: {name: app}
          predicateType: https://slsa.dev/provenance/v1
          predicate:
            buildDefinition:
              buildType: make
              externalParameters: {source: {uri: "git+https://a.example@refs/tags/v1", digest: {gitCommit: ${COMMIT}}}}
            runDetails: {builder: {id: ci}}
        - signer: {key: scs}
          subject: {digest: "gitCommit:${COMMIT}", annotations: {sourceRefs: [REF]}}
          predicateType: https://slsa.dev/verification_summary/v1
          predicate: {verifier: {id: scs}, resourceUri: git+https://a.example, verificationResult: PASSED, verifiedLevels: []}
      expect: allow
`;

test("a test of a policy says of a commit what a source control system would, with its references", () => {
  const failing = (ref: string) => {
    const { tests, diagnostics } = readTestFile(
      { name: "p.test.yaml", text: TEST.replace("REF", ref) },
      () => true,
    );
    assert.deepEqual(diagnostics, []);
    const [one] = tests[0]?.cases ?? [];
    assert.ok(one);
    return runCase(POLICY, one, sha256("app"), []).found.failing;
  };
  assert.deepEqual(failing("refs/tags/v1"), []);
  assert.deepEqual(failing("refs/heads/dev"), ["evidence.source", "evidence.source.vsa.sourceRefs"]);
});
