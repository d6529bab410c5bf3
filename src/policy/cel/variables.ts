import type { CertificateClaims } from "../../verify/verified-attestation.ts";
import type { Facts } from "../facts.ts";

/** What is asked of a name in expressions: its members' types, or its own as CEL writes it. */
export interface Schema {
  readonly [name: string]: Schema | string;
}

/**
 * What expressions see of an attestation, with the types that they are checked against at load. Unknown facts are
 * absent, not empty.
 */
export const ATTESTATION = {
  artifact: { digest: "string", name: "string" },
  subjects: "list<string>",
  signer: {
    issuer: "string",
    identity: "string",
    instance: "string",
    key: "string",
    claims: {
      buildSignerUri: "string",
      buildSignerDigest: "string",
      runnerEnvironment: "string",
      sourceRepositoryUri: "string",
      sourceRepositoryDigest: "string",
      sourceRepositoryRef: "string",
      sourceRepositoryIdentifier: "string",
      sourceRepositoryOwnerUri: "string",
      sourceRepositoryOwnerIdentifier: "string",
      buildConfigUri: "string",
      buildConfigDigest: "string",
      buildTrigger: "string",
      runInvocationUri: "string",
      sourceRepositoryVisibility: "string",
    } satisfies Record<keyof CertificateClaims, "string">,
  },
  source: { repository: "string", ref: "string", commit: "string" },
  provenance: {
    version: "string",
    builderId: "string",
    buildType: "string",
    externalParameters: "map<string, dyn>",
    internalParameters: "map<string, dyn>",
    resolvedDependencies: "list<dyn>",
    invocationId: "string",
    startedOn: "string",
    finishedOn: "string",
  },
  predicateType: "string",
  predicate: "map<string, dyn>",
} as const satisfies Schema & { readonly [K in keyof Facts]?: Schema | string };
