import type { KeyObject } from "node:crypto";
import { canonicalJson, type Digest, sha256 } from "../in-toto-attestation/index.ts";
import type { Certificate } from "../x509/certificate.ts";
import type { TrustDomain } from "./spiffe-id.ts";
import type { TrustBundle } from "./trust-bundle.ts";

/** What relying parties believe an authority by. */
export interface BelievedAuthority {
  readonly root: Certificate;
  readonly jwtKeyId: string;
  readonly jwtPublicKey: KeyObject;
}

/** Seconds after which peers ask for the bundle again. */
const REFRESH_HINT = 300;

/** Names an authority by what is believed of it, as the log does (docs/log-format.md). */
export function authorityId({
  trustDomain,
  root,
  jwtKeyId,
}: Pick<BelievedAuthority, "root" | "jwtKeyId"> & { readonly trustDomain: TrustDomain }): Digest {
  return sha256(canonicalJson({ trustDomain, x509Root: sha256(root.der), jwtKeyId }));
}

/** The bundle of a trust domain that has these authorities; a root or key that several share is in it once. */
export function bundleOf(
  trustDomain: TrustDomain,
  authorities: readonly BelievedAuthority[],
  sequence?: number,
): TrustBundle {
  return {
    trustDomain,
    x509Authorities: [...new Map(authorities.map(({ root }) => [sha256(root.der), root])).values()],
    jwtAuthorities: new Map(authorities.map(({ jwtKeyId, jwtPublicKey }) => [jwtKeyId, jwtPublicKey])),
    refreshHint: REFRESH_HINT,
    ...(sequence === undefined ? {} : { sequence }),
  };
}
