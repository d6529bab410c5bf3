/** Lets releases of acme/widget from its main branch pass, as `test/sigstore` signs them. */
export const POLICY = `apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata:
  name: release
spec:
  artifacts:
    names: ["**"]
  signers:
    - issuer: https://token.actions.githubusercontent.com
      identity: https://github.com/acme/widget/.github/workflows/release.yml@refs/heads/main
  builders:
    - id: https://github.com/acme/widget/.github/workflows/release.yml@refs/heads/main
      level: 3
  source:
    repositories: [https://github.com/acme/widget]
    refs: [refs/heads/main]
  buildTypes: [https://actions.github.io/buildtypes/workflow/v1]
  externalParameters:
    ignore: [workflow]
`;
