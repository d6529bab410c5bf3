import { UsageError } from "../usage-error.ts";

/**
 * The short names that cosign has for predicate types (sigstore/cosign, cmd/cosign/cli/options/predicate.go), and what else
 * goes by each in evidence that is about: writers put versions behind the same type.
 */
const SHORT: ReadonlyMap<string, readonly string[]> = new Map([
  ["custom", ["https://cosign.sigstore.dev/attestation/v1", "cosign.sigstore.dev/attestation/v1"]],
  ["slsaprovenance", ["https://slsa.dev/provenance/v0.2"]],
  ["slsaprovenance02", ["https://slsa.dev/provenance/v0.2"]],
  ["slsaprovenance1", ["https://slsa.dev/provenance/v1"]],
  [
    "spdx",
    [
      "https://spdx.dev/Document",
      "https://spdx.dev/Document/v2.2",
      "https://spdx.dev/Document/v2.3",
      "https://spdx.dev/Document/v3",
      "https://spdx.dev/Document/v3.0",
    ],
  ],
  [
    "cyclonedx",
    [
      "https://cyclonedx.org/bom",
      "https://cyclonedx.org/bom/v1.4",
      "https://cyclonedx.org/bom/v1.5",
      "https://cyclonedx.org/bom/v1.6",
    ],
  ],
  ["link", ["https://in-toto.io/Link/v1", "https://in-toto.io/attestation/link/v0.3"]],
  ["vuln", ["https://cosign.sigstore.dev/attestation/vuln/v1", "cosign.sigstore.dev/attestation/vuln/v1"]],
  ["openvex", ["https://openvex.dev/ns", "https://openvex.dev/ns/v0.2.0"]],
]);

/** What `--predicate-type` says: a short name's types, or the type itself. Throws `UsageError` for what is neither. */
export function predicateTypesOf(written: string): readonly string[] {
  const types = SHORT.get(written === "spdxjson" ? "spdx" : written);
  if (types !== undefined) return types;
  // Every type is a URI, with or without its scheme: a word alone is a short name, misspelt.
  if (/[/:]/.test(written)) return [written];
  throw new UsageError(
    `--predicate-type takes a type's URI or one of ${[...SHORT.keys()].join(", ")}, and not ${written}`,
  );
}
