import assert from "node:assert/strict";
import { VouchsafeError } from "../../src/errors.ts";
import { loadPolicySet, type PolicySet } from "../../src/policy/load.ts";
import type { Diagnostic } from "../../src/yaml/diagnostics.ts";

/** A policy file with every section, in which tests make mistakes. */
export const RELEASE = `apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata:
  name: release
spec:
  artifacts:
    names: ["**"]
  signers:
    - issuer: https://token.actions.githubusercontent.com
      identity: https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v*
  maxAge: 90d
  builders:
    - id: https://github.com/actions/runner/github-hosted
      level: 2
      signers:
        - key: builder
  source:
    repositories: [https://github.com/acme/app]
    refs: [refs/tags/v*]
  externalParameters:
    require:
      workflow: {ref: refs/tags/v*, retries: 3}
    ignore: [inputs]
  rules:
    - name: pushed
      cel: source.ref.startsWith("refs/tags/v")
`;

/** Loads texts as the files `0.yaml`, `1.yaml` … */
export function load(...texts: string[]): PolicySet {
  return loadPolicySet(texts.map((text, index) => ({ name: `${index}.yaml`, text })));
}

/** The mistakes of these files; none when they load. */
export function diagnosticsOf(...texts: string[]): Diagnostic[] {
  try {
    load(...texts);
  } catch (error) {
    assert.ok(error instanceof VouchsafeError);
    assert.equal(error.code, "invalid-policy");
    return error.extensions.diagnostics as Diagnostic[];
  }
  return [];
}

/** Where the mistakes are said to be, as `line:column`. */
export function places(...texts: string[]): string[] {
  return diagnosticsOf(...texts).map(({ line, column }) => `${line}:${column}`);
}
