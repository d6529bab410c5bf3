import { CONTAINMENT_PREDICATE_TYPE } from "./containment.ts";

/**
 * Predicate types that are taken. A type that is not here is refused: nobody has said what it would mean for a
 * decision. A new one is a line in this table.
 */
const KNOWN: ReadonlySet<string> = new Set([
  // Our own (docs/approvals.md)
  "https://vouchsafe.dev/approval/v1",

  // SLSA (slsa.dev)
  "https://slsa.dev/provenance/v0.1",
  "https://slsa.dev/provenance/v0.2",
  "https://slsa.dev/provenance/v1",
  "https://slsa.dev/provenance/v1.0?draft",
  "https://slsa.dev/verification_summary/v0.1",
  "https://slsa.dev/verification_summary/v0.2",
  "https://slsa.dev/verification_summary/v1",
  // Source provenance as SLSA's own tool for it writes it (slsa-framework/source-tool)
  "https://github.com/slsa-framework/slsa-source-poc/source-provenance/v1-draft",
  "https://github.com/slsa-framework/slsa-source-poc/tag-provenance/v1-draft",

  // in-toto (in-toto/attestation spec/predicates)
  "https://in-toto.io/Provenance/v0.1",
  "https://in-toto.io/Link/v1",
  "https://in-toto.io/attestation/link/v0.3",
  "https://in-toto.io/attestation/human-review/v0.1",
  "https://in-toto.io/attestation/reference/v0.1",
  "https://in-toto.io/attestation/release/v0.1",
  "https://in-toto.io/attestation/release/v0.2",
  "https://in-toto.io/attestation/runtime-trace/v0.1",
  "https://in-toto.io/attestation/scai/attribute-report/v0.2",
  "https://in-toto.io/attestation/scai/v0.3",
  "https://in-toto.io/attestation/svr/v0.1",
  "https://in-toto.io/attestation/test-result/v0.1",
  "https://in-toto.io/attestation/vulns/v0.1",
  "https://in-toto.io/attestation/vulns/v0.2",

  // Bills of materials and vulnerability exchange
  "https://spdx.dev/Document",
  "https://spdx.dev/Document/v2.2",
  "https://spdx.dev/Document/v2.3",
  "https://spdx.dev/Document/v3",
  "https://spdx.dev/Document/v3.0",
  "https://cyclonedx.org/bom",
  "https://cyclonedx.org/bom/v1.4",
  "https://cyclonedx.org/bom/v1.5",
  "https://cyclonedx.org/bom/v1.6",
  "https://cyclonedx.org/schema",
  "https://syft.dev/bom",
  "https://openvex.dev/ns",
  "https://openvex.dev/ns/v0.2.0",

  // cosign
  "https://sigstore.dev/cosign/sign/v1",
  "https://cosign.sigstore.dev/attestation/v1",
  "https://cosign.sigstore.dev/attestation/vuln/v1",
  "cosign.sigstore.dev/attestation/v1",
  "cosign.sigstore.dev/attestation/vuln/v1",

  // Package registries and model signing
  "https://github.com/npm/attestation/tree/main/specs/publish/v0.1",
  "https://docs.pypi.org/attestations/publish/v1",
  "https://model_signing/signature/v1.0",

  // Collections of a pipeline's steps
  "https://witness.testifysec.com/attestation-collection/v0.1",
  "chainloop.dev/attestation/v0.1",
  "chainloop.dev/attestation/v0.2",

  // Vouchsafe's own
  CONTAINMENT_PREDICATE_TYPE,
]);

export function isKnownPredicateType(predicateType: string): boolean {
  return KNOWN.has(predicateType);
}
