import type { PolicyFile } from "../../src/policy/load.ts";
import { RELEASE_POLICY } from "../http/release.ts";
import { WORKLOADS } from "./identities/identity-house.ts";

/** The release policy for another branch, for any, and with a review of the commit that was built. */
export const DEV = RELEASE_POLICY.replaceAll("refs/heads/main", "refs/heads/dev");
export const BOTH = RELEASE_POLICY.replaceAll("refs/heads/main", "refs/heads/*");
export const REVIEWED_COMMIT = "5".repeat(40);
export const REVIEW = "https://in-toto.io/attestation/human-review/v0.1";
export const REVIEWED = `${RELEASE_POLICY}  evidence:
    - name: review
      about: source
      predicateTypes: [${REVIEW}]
      signers:
        - issuer: https://token.actions.githubusercontent.com
          identity: https://github.com/acme/widget/.github/workflows/release.yml@refs/heads/main
`;
/** A set of policies for nodes of an identity house. */
export const files = (release: string, workloads = WORKLOADS): PolicyFile[] => [
  { name: "release.yaml", text: release },
  { name: "workloads.yaml", text: workloads },
];
