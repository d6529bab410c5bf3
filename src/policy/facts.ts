import {
  AttestationFormatError,
  containerOf,
  type Digest,
  type JsonObject,
  type Provenance,
  sourceRefsOf,
  type VerificationSummary,
  verificationSummaryOf,
} from "../in-toto-attestation/index.ts";
import { provenanceOf } from "../in-toto-attestation/provenance.ts";
import { NOTHING_FOUND, operatorsOf } from "../verify/findings.ts";
import type { CertificateClaims, Signer, VerifiedFacts } from "../verify/verified-attestation.ts";

/** Where a build came from. */
export interface Source {
  readonly repository?: string;
  readonly ref?: string;
  readonly commit?: string;
}

/** What an attestation says of one artifact, as checks and rules read it. What it does not say is absent. */
export interface Facts {
  readonly attestation: Digest;
  readonly artifact: { readonly digest: Digest; readonly name?: string };
  /** Digests of all that it is about: the artifact, and what was attested with it, such as a commit. */
  readonly subjects: readonly Digest[];
  /** The artifact's digests by other algorithms: those of the subjects that are the artifact. */
  readonly otherDigests: readonly Digest[];
  readonly signer: {
    readonly issuer?: string;
    readonly identity?: string;
    /** Which authority of the trust snapshot vouched for the identity. */
    readonly instance?: string;
    readonly key?: string;
    readonly claims: CertificateClaims;
  };
  /** As the provenance claims it; what it leaves out, as the certificate does. */
  readonly source: Source;
  /** Each claim about the source that provenance and certificate make differently. */
  readonly contradictions: readonly string[];
  readonly predicateType?: string;
  readonly predicate?: JsonObject;
  readonly provenance?: Provenance;
  readonly summary?: VerificationSummary;
  /** The artifacts that hold this one, where it is a statement of containment. */
  readonly containers?: readonly Digest[];
  /** Where it is about a source revision: the references that it says pointed to it. */
  readonly sourceRefs?: readonly string[];
  /** The earliest trusted time at which the signature existed: a later timestamp makes nothing fresher. */
  readonly signedAt?: number;
  /** Of how many operators there is evidence. */
  readonly witnesses: Readonly<Record<Witness, number>>;
}

export type Witness = "logEntries" | "timestamps" | "scts";

/** Of an attestation, what facts are read from. */
export type Sayings = Pick<VerifiedFacts, "id" | "subjects" | "statement" | "signer" | "times"> &
  Partial<Pick<VerifiedFacts, "findings">>;

/**
 * Reads the attestation as evidence about the artifact; undefined when it is about others. Where several of its
 * subjects are the artifact, the first counts whose name is `wanted`.
 */
export function factsOf(
  attestation: Sayings,
  artifact: Digest,
  wanted: (name: string) => boolean,
): Facts | undefined {
  const subjects = attestation.subjects.filter(({ digests }) => digests.includes(artifact));
  const subject = subjects.find(({ name }) => wanted(name ?? "")) ?? subjects[0];
  if (subject === undefined) return undefined;
  const { id, signer, statement, times, findings = NOTHING_FOUND } = attestation;
  const provenance = statement && unlessMalformed(() => provenanceOf(statement));
  const summary = statement && unlessMalformed(() => verificationSummaryOf(statement));
  const containers = statement && unlessMalformed(() => containerOf(statement));
  const sourceRefs = statement && sourceRefsOf(statement, artifact);
  const claimed = sourceClaimedBy(provenance);
  const certified = sourceCertifiedBy(signer);
  const [signedAt] = times;
  return {
    attestation: id,
    artifact: { digest: artifact, ...(subject.name !== undefined && { name: subject.name }) },
    subjects: attestation.subjects.flatMap(({ digests }) => digests),
    otherDigests: subjects.flatMap(({ digests }) => digests.filter((digest) => digest !== artifact)),
    signer: readSigner(signer),
    source: { ...certified, ...claimed },
    contradictions: contradictionsOf(claimed, certified),
    ...(statement && { predicateType: statement.predicateType, predicate: statement.predicate }),
    ...(provenance && { provenance }),
    ...(summary && { summary }),
    ...(containers && { containers }),
    ...(sourceRefs && { sourceRefs }),
    ...(signedAt !== undefined && { signedAt }),
    witnesses: {
      logEntries: operatorsOf(findings.logEntries),
      timestamps: operatorsOf(findings.times),
      scts: operatorsOf(findings.scts),
    },
  };
}

/** Malformed provenance is none, and so is a malformed summary: it fails every check that asks for one. */
function unlessMalformed<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof AttestationFormatError) return undefined;
    throw error;
  }
}

function readSigner(signer: Signer): Facts["signer"] {
  if (signer.case === "key") return { key: signer.name, claims: {} };
  const { issuer, identity, instance, claims } = signer;
  return { issuer, identity, instance, claims };
}

function sourceClaimedBy(provenance: Provenance | undefined): Source {
  const { uri, ref, commit } = provenance?.source ?? {};
  return {
    ...(uri !== undefined && { repository: uri }),
    ...(ref !== undefined && { ref }),
    ...(commit !== undefined && { commit }),
  };
}

function sourceCertifiedBy(signer: Signer): Source {
  if (signer.case === "key") return {};
  const { sourceRepositoryUri, sourceRepositoryRef, sourceRepositoryDigest } = signer.claims;
  return {
    ...(sourceRepositoryUri !== undefined && { repository: sourceRepositoryUri }),
    ...(sourceRepositoryRef !== undefined && { ref: sourceRepositoryRef }),
    ...(sourceRepositoryDigest !== undefined && { commit: sourceRepositoryDigest }),
  };
}

function contradictionsOf(claimed: Source, certified: Source): string[] {
  return (["repository", "ref", "commit"] as const)
    .filter((part) => claimed[part] !== undefined && certified[part] !== undefined)
    .filter((part) => claimed[part] !== certified[part])
    .map((part) => `${part} ${claimed[part]} in the provenance, ${certified[part]} in the certificate`);
}
