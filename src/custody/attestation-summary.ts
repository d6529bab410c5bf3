import { provenanceOf } from "../in-toto-attestation/provenance.ts";
import type { Digest, JsonObject } from "../in-toto-attestation/types.ts";
import type { Signer, Subject, VerifiedAttestation, VerifiedFacts } from "../verify/verified-attestation.ts";

/** Where the source of an artifact is, as far as the evidence says. */
export interface SourceSummary {
  readonly repository?: string;
  readonly ref?: string;
  readonly commit?: string;
}

export type SignerSummary =
  | {
      readonly case: "certificate";
      readonly issuer: string;
      readonly identity: string;
      readonly instance: string;
    }
  | { readonly case: "key"; readonly name: string; readonly keyId: string };

/** An attestation as the API describes it and as `evidence.accepted` records it. */
export interface AttestationSummary {
  readonly id: Digest;
  readonly mediaType: string;
  readonly predicateType: string | null;
  readonly signer: SignerSummary;
  readonly subjects: readonly Subject[];
  /** RFC 3339. */
  readonly times: readonly string[];
  readonly source: SourceSummary;
  readonly builder: string | null;
}

/** Of an attestation, what it is described by. */
export type Said = Pick<VerifiedFacts, "id" | "payload" | "subjects" | "statement" | "signer" | "times">;

/** Describes verified evidence. */
export function summarize(attestation: VerifiedAttestation): AttestationSummary {
  return {
    id: attestation.id,
    mediaType: attestation.mediaType,
    predicateType: attestation.statement?.predicateType ?? null,
    signer: signerSummary(attestation.signer),
    subjects: attestation.subjects,
    times: attestation.times.map((time) => new Date(time).toISOString()),
    ...originOf(attestation),
  };
}

/**
 * Where evidence says that its artifacts come from. The source is what the certificate says, for the certificate authority
 * checked it; the provenance's own claim stands in only where there is no certificate to ask. (Where both differ, no policy
 * passes on it.)
 */
export function originOf({
  statement,
  signer,
}: Pick<Said, "statement" | "signer">): Pick<AttestationSummary, "source" | "builder"> {
  const provenance = statement ? provenanceOf(statement) : undefined;
  return {
    source: certificateSource(signer) ?? provenanceSource(provenance?.source) ?? {},
    builder: provenance?.builderId ?? null,
  };
}

/** The digests that an attestation is about, each once. */
export function artifactsOf(attestation: VerifiedAttestation): Digest[] {
  return [...new Set(attestation.subjects.flatMap(({ digests }) => digests))];
}

/** What an event's body records of verified evidence: how it is described, and the digest of what was signed. */
export function summaryBody(attestation: VerifiedAttestation): JsonObject {
  const { id, ...summary } = summarize(attestation);
  const { payload } = attestation;
  return {
    attestation: id,
    ...(summary as unknown as JsonObject),
    ...(payload !== undefined && { payload }),
  };
}

function signerSummary(signer: Signer): SignerSummary {
  if (signer.case === "key") return signer;
  const { issuer, identity, instance } = signer;
  return { case: "certificate", issuer, identity, instance };
}

function certificateSource(signer: Signer): SourceSummary | undefined {
  if (signer.case === "key") return undefined;
  const { sourceRepositoryUri, sourceRepositoryRef, sourceRepositoryDigest } = signer.claims;
  if (sourceRepositoryUri === undefined) return undefined;
  return {
    repository: sourceRepositoryUri,
    ...(sourceRepositoryRef !== undefined && { ref: sourceRepositoryRef }),
    ...(sourceRepositoryDigest !== undefined && { commit: sourceRepositoryDigest }),
  };
}

function provenanceSource(
  source: { readonly uri: string; readonly ref?: string; readonly commit?: string } | undefined,
): SourceSummary | undefined {
  if (source === undefined) return undefined;
  const { uri, ref, commit } = source;
  return { repository: uri, ...(ref !== undefined && { ref }), ...(commit !== undefined && { commit }) };
}

/** Who signed, for people. */
export function signerName(signer: Signer): string {
  return signer.case === "key" ? `the key ${signer.name}` : `${signer.identity} (${signer.issuer})`;
}
