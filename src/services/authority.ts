import type { Authority } from "../identity/authority.ts";
import { bundleOf } from "../identity/believed-authorities.ts";
import { type CrlSigner, createCrlSigner, issuerName } from "../identity/crl.ts";
import { createJwtMinter, type JwtMinter } from "../identity/jwt-svid.ts";
import type { TrustDomain } from "../identity/spiffe-id.ts";
import type { TrustBundle } from "../identity/trust-bundle.ts";
import { createX509Minter, type X509Minter } from "../identity/x509-svid.ts";

/** What a node signs with at one time. A grant is decided, recorded and signed by the same one. */
export interface SigningAuthority extends Pick<Authority, "id" | "chain" | "until"> {
  /** Sign what they are given: only what was decided and recorded is given to them. */
  readonly x509: X509Minter;
  readonly jwt: JwtMinter;
  /** Names its issuing certificate in the paths of revocation lists: the key's identifier, hex. */
  readonly issuer: string;
  readonly crl: CrlSigner;
}

/** What the trust domain's SVIDs are signed with and validated by, each of which changes over time. */
export interface TrustDomainAuthority {
  readonly trustDomain: TrustDomain;
  /** What validates the trust domain's SVIDs now, of whatever node. */
  bundle(): TrustBundle;
  /** @throws VouchsafeError `unavailable` while relying parties may not know this node's authority yet */
  current(): SigningAuthority;
  /** All that this node has the keys of and whose SVIDs may still live: each signs the lists of what it issued. */
  signers(): readonly SigningAuthority[];
}

export function createTrustDomainAuthority(authority: Authority): TrustDomainAuthority {
  const { id, trustDomain, chain, until, jwtKey } = authority;
  const bundle = bundleOf(trustDomain, [{ ...authority, jwtPublicKey: jwtKey.publicKey }]);
  const signing: SigningAuthority = {
    id,
    chain,
    until,
    x509: createX509Minter(authority),
    jwt: createJwtMinter(authority),
    issuer: issuerName(authority),
    crl: createCrlSigner(authority),
  };
  return { trustDomain, bundle: () => bundle, current: () => signing, signers: () => [signing] };
}
