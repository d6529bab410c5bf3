import { randomBytes } from "node:crypto";
import {
  algorithmOf,
  canonicalJson,
  type Digest,
  hexOf,
  type JsonObject,
  parseJson,
  type Statement,
  sha256,
} from "../../src/in-toto-attestation/index.ts";
import { type Findings, NOTHING_FOUND } from "../../src/verify/findings.ts";
import {
  type CertificateClaims,
  type Signer,
  sealVerified,
  type VerifiedAttestation,
} from "../../src/verify/verified-attestation.ts";

/** 2026-03-01T12:00:00Z: tests choose their times, none depends on the clock. */
export const SIGNED_AT = Date.UTC(2026, 2, 1, 12);
export const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";
export const HOSTED_RUNNER = "https://github.com/actions/runner/github-hosted";
export const GITHUB_BUILD_TYPE = "https://actions.github.io/buildtypes/workflow/v1";
export const COMMIT = "1f0e3dad99908345f7439f8ffabdffc4a1b2c3d4";

export interface Release {
  readonly artifact: Digest;
  readonly subjectName?: string;
  readonly repository?: string;
  readonly ref?: string;
  readonly commit?: string;
  readonly workflow?: string;
  readonly builderId?: string;
  readonly buildType?: string;
  /** Replaces `externalParameters` as GitHub writes them. */
  readonly externalParameters?: JsonObject;
  readonly signer?: Signer;
  readonly claims?: CertificateClaims;
  readonly times?: readonly number[];
}

/** A random artifact's digest. */
export function anArtifact(): Digest {
  return sha256(randomBytes(32));
}

/** Verified SLSA v1 provenance of a GitHub Actions release, as `actions/attest-build-provenance` writes it. */
export function releaseOf(release: Release): VerifiedAttestation {
  const {
    repository = "https://github.com/acme/app",
    ref = "refs/tags/v1.2.3",
    commit = COMMIT,
    workflow = ".github/workflows/release.yml",
  } = release;
  const claims = {
    sourceRepositoryUri: repository,
    sourceRepositoryRef: ref,
    sourceRepositoryDigest: commit,
    runnerEnvironment: "github-hosted",
    ...release.claims,
  };
  const predicate = {
    buildDefinition: {
      buildType: release.buildType ?? GITHUB_BUILD_TYPE,
      externalParameters: release.externalParameters ?? { workflow: { repository, ref, path: workflow } },
      internalParameters: { github: { event_name: "push" } },
      resolvedDependencies: [{ uri: `git+${repository}@${ref}`, digest: { gitCommit: commit } }],
    },
    runDetails: {
      builder: { id: release.builderId ?? HOSTED_RUNNER },
      metadata: { invocationId: `${repository}/actions/runs/1/attempts/1` },
    },
  };
  return attestationOf({
    artifact: release.artifact,
    subjectName: release.subjectName ?? "app.tar.gz",
    predicateType: "https://slsa.dev/provenance/v1",
    predicate,
    signer: release.signer ?? workflowSigner(`${repository}/${workflow}@${ref}`, claims),
    ...(release.times && { times: release.times }),
  });
}

export interface AnyAttestation {
  readonly artifact: Digest;
  readonly subjectName?: string;
  /** Further subjects. */
  readonly alsoAbout?: readonly Digest[];
  /** Of the first subject, as signed. */
  readonly annotations?: JsonObject;
  readonly predicateType: string;
  readonly predicate: JsonObject;
  readonly signer: Signer;
  readonly times?: readonly number[];
  /** Of what verification found: nothing, unless it is said. */
  readonly findings?: Partial<Findings>;
}

/** A verified attestation, with one subject unless more are said; its id is the hash of what it says. */
export function attestationOf(said: AnyAttestation): VerifiedAttestation {
  const { artifact, subjectName, alsoAbout = [], predicateType, signer, times = [SIGNED_AT] } = said;
  // As verification hands it on: read from bytes, without prototypes.
  const predicate = parseJson(new TextEncoder().encode(canonicalJson(said.predicate))) as JsonObject;
  const named = subjectName === undefined ? {} : { name: subjectName };
  const statement: Statement = {
    type: "https://in-toto.io/Statement/v1",
    subject: [
      {
        ...named,
        digest: { [algorithmOf(artifact)]: hexOf(artifact) },
        ...(said.annotations && { annotations: said.annotations }),
      },
      ...alsoAbout.map((digest) => ({ digest: { [algorithmOf(digest)]: hexOf(digest) } })),
    ],
    predicateType,
    predicate,
  };
  return sealVerified({
    id: sha256(JSON.stringify([statement, signer, times])),
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    subjects: [{ ...named, digests: [artifact] }, ...alsoAbout.map((digest) => ({ digests: [digest] }))],
    statement,
    signer,
    times,
    findings: { ...NOTHING_FOUND, ...said.findings },
    trustHash: sha256("trust"),
  });
}

/** A certificate of GitHub Actions for a workflow's identity. */
export function workflowSigner(identity: string, claims: CertificateClaims = {}): Signer {
  return { case: "certificate", issuer: GITHUB_ISSUER, identity, claims, instance: "public-good" };
}

/** A key of the trust snapshot. */
export function keySigner(name: string): Signer {
  return { case: "key", name, keyId: sha256(name) };
}
