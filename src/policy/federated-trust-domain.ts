import type { SpiffeId, TrustDomain } from "../identity/spiffe-id.ts";
import type { TrustBundle } from "../identity/trust-bundle.ts";

/** A loaded document of kind FederatedTrustDomain: whose SVIDs workloads may believe. Only `loadPolicySet` makes one. */
export interface FederatedTrustDomain {
  readonly name: string;
  readonly description?: string;
  /** `sha256:…` of the canonical JSON of the document. */
  readonly hash: string;
  /** The file that it stands in. */
  readonly file: string;
  readonly spec: FederationSpec;
}

export interface FederationSpec {
  readonly trustDomain: TrustDomain;
  /** Where its bundle is fetched; absent: it is the one below until an operator activates another. */
  readonly endpoint?: BundleEndpoint;
  /** What is believed before the first fetch. */
  readonly bundle?: TrustBundle;
}

/** A bundle endpoint and how it is authenticated (SPIFFE_Federation.md §5.2). */
export interface BundleEndpoint {
  /** `https:`, without user information. */
  readonly url: string;
  readonly profile:
    | { readonly case: "https_web" }
    | { readonly case: "https_spiffe"; readonly endpointId: SpiffeId };
}
