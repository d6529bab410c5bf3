import { createHash } from "node:crypto";
import { type ActionsClaims, actionsClaims, actionsIdentity } from "./github-actions.ts";

/** Something that was built: its bytes, or the sha256 of them as hex. */
export type Artifact = { readonly name: string } & (
  | { readonly bytes: Uint8Array }
  | { readonly sha256: string }
);

export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export interface InTotoStatement {
  readonly _type: string;
  readonly subject: readonly { readonly name?: string; readonly digest: Readonly<Record<string, string>> }[];
  readonly predicateType: string;
  readonly predicate: object;
}

/** An in-toto Statement v1 about artifacts, with any predicate. */
export function statementAbout(
  artifacts: readonly Artifact[],
  predicateType: string,
  predicate: object,
): InTotoStatement {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: artifacts.map((artifact) => ({
      name: artifact.name,
      digest: { sha256: "bytes" in artifact ? sha256Hex(artifact.bytes) : artifact.sha256 },
    })),
    predicateType,
    predicate,
  };
}

/**
 * SLSA provenance v1 as GitHub's own attestation action writes it for the run that the claims describe
 * (slsa.dev/spec/v1.0/provenance; actions.github.io/buildtypes/workflow/v1).
 */
export function slsaProvenance(
  artifacts: readonly Artifact[],
  claims: ActionsClaims = actionsClaims(),
  changes: { readonly builderId?: string; readonly externalParameters?: object } = {},
): InTotoStatement {
  const repository = `https://github.com/${claims.repository}`;
  const [workflowPath = ""] = claims.workflow_ref.slice(claims.repository.length + 1).split("@", 1);
  return statementAbout(artifacts, "https://slsa.dev/provenance/v1", {
    buildDefinition: {
      buildType: "https://actions.github.io/buildtypes/workflow/v1",
      externalParameters: changes.externalParameters ?? {
        workflow: { ref: claims.ref, repository, path: workflowPath },
      },
      internalParameters: {
        github: {
          event_name: claims.event_name,
          repository_id: claims.repository_id,
          repository_owner_id: claims.repository_owner_id,
          runner_environment: claims.runner_environment,
        },
      },
      resolvedDependencies: [{ uri: `git+${repository}@${claims.ref}`, digest: { gitCommit: claims.sha } }],
    },
    runDetails: {
      builder: { id: changes.builderId ?? actionsIdentity(claims) },
      metadata: {
        invocationId: `${repository}/actions/runs/${claims.run_id}/attempts/${claims.run_attempt}`,
      },
    },
  });
}
