import { RELEASE_POLICY } from "../../http/release.ts";

export const DAY = 86_400_000;
export const RETENTION = `
apiVersion: vouchsafe.dev/v1
kind: RetentionPolicy
metadata: { name: house }
spec:
  default: standard
  classes: { standard: { keep: 30d }, court: { keep: forever } }
`;

export const SCAN = "https://in-toto.io/attestation/vulns/v0.2";
/** The newest scan by the time of its signature counts. */
export const SCANNED = `${RELEASE_POLICY.replace("name: release", "name: scanned").replace("widget*", "gadget*")}
  evidence:
    - name: scan
      predicateTypes: ["${SCAN}"]
      signers:
        - issuer: https://token.actions.githubusercontent.com
          identity: https://github.com/acme/widget/.github/workflows/scan.yml@refs/heads/main
      rules:
        - {name: nothing-found, cel: size(predicate.scanner.result) == 0}
`;
