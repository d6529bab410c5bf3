import { millisecondsOf, type Projector } from "./rows.ts";

export const projectEvidence: Projector = ({ project, index, draft }, rows) => {
  const { attestation, mediaType, predicateType, signer, subjects, source, builder, verifiedAt } =
    draft.body as unknown as {
      attestation: string;
      mediaType: string;
      predicateType: string | null;
      signer:
        | { case: "certificate"; issuer: string; identity: string; instance: string }
        | { case: "key"; name: string; keyId: string };
      subjects: readonly { name?: string; digests: readonly string[] }[];
      source: { repository?: string; ref?: string; commit?: string };
      builder: string | null;
      verifiedAt: string;
    };
  rows.attestations.push({
    project_id: project,
    id: attestation,
    index,
    media_type: mediaType,
    predicate_type: predicateType,
    signer,
    signer_issuer: signer.case === "certificate" ? signer.issuer : null,
    signer_identity: signer.case === "certificate" ? signer.identity : signer.name,
    source_repository: source.repository,
    source_ref: source.ref,
    source_commit: source.commit,
    builder,
    verified_at: millisecondsOf(verifiedAt),
  });
  const named = new Set<string>();
  for (const { name, digests } of subjects) {
    for (const digest of digests) {
      if (named.has(digest)) continue;
      named.add(digest);
      rows.attestation_subjects.push({ project_id: project, digest, attestation, name });
    }
  }
};

export const projectRejection: Projector = ({ project, index, time, draft }, rows) => {
  const { digest, code, trust, caller } = draft.body;
  rows.rejections.push({ project_id: project, digest, code, trust_hash: trust, index, caller, time });
};

export const projectContainment: Projector = ({ project, index, draft }, rows) => {
  const { manifest, contained } = draft.body as { manifest: string; contained: string[] };
  for (const digest of contained)
    rows.containment.push({ project_id: project, contained: digest, container: manifest, index });
};
