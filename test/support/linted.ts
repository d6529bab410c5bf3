import { lintPolicies } from "../../src/policy/lint.ts";
import { loadPolicySet } from "../../src/policy/load.ts";

/** A policy in which there is nothing to look at. */
export const SOUND = `apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata:
  name: app
spec:
  artifacts: {names: ["app-*"]}
  signers:
    - issuer: https://token.actions.githubusercontent.com
      identity: https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v*
  predicateTypes: [https://slsa.dev/provenance/v1]
  builders:
    - {id: https://github.com/actions/runner/github-hosted, level: 2}
  source:
    repositories: [https://github.com/acme/app]
    refs: [refs/tags/v*]
  externalParameters:
    require:
      workflow: {repository: https://github.com/acme/app, ref: refs/tags/v*, path: .github/workflows/release.yml}
`;

/** What lint has to say of these documents, but for what is only worth knowing. */
export function findings(text: string): string[] {
  return lintPolicies(loadPolicySet([{ name: "app.yaml", text }]))
    .filter(({ level }) => level !== "info")
    .map(({ level, rule, line, column }) => `${level} ${rule} ${line}:${column}`);
}

/** The place of the last line that holds the text, as findings give it. */
export function at(text: string, part: string): string {
  const lines = text.split("\n");
  const line = lines.findLastIndex((candidate) => candidate.includes(part));
  return `${line + 1}:${(lines[line]?.indexOf(part) ?? -2) + 1}`;
}
