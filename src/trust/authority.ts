import { type Certificate, isIssuedBy, parseCertificate } from "../x509/certificate.ts";
import { basicConstraintsOf, keyUsageOf } from "../x509/extensions.ts";
import { invalid } from "./members.ts";
import { intersection, type TimeRange } from "./time-range.ts";

/** A certificate of a trusted chain. */
export interface TrustedCertificate {
  readonly certificate: Certificate;
  /** When it may be believed: the document's range, its own dates and those of everything above it. Can be empty. */
  readonly validFor: TimeRange;
}

/**
 * A certificate or timestamp authority: its chain from the issuing (or, for timestamps, the signing) certificate
 * up to the root. Signatures along it were verified when it was loaded.
 */
export interface CertificateAuthority {
  readonly chain: readonly TrustedCertificate[];
}

/** What the first certificate of a chain is there for: to issue certificates, or to sign timestamps or issue those that do. */
export type AuthorityUse = "attestations" | "timestamps";

export const MAX_CHAIN = 8;

/**
 * Reads a chain of certificates (DER) in any order, as X509CertificateChain leaves it open
 * (sigstore_common.proto). Each must be issued by another up to the last, which is trusted by fiat; each that
 * issues must be an authority that may (RFC 5280 §6.1.4 k to n).
 *
 * Throws `VouchsafeError` (`invalid-trust`).
 */
export function parseAuthority(
  certificates: readonly Uint8Array[],
  use: AuthorityUse,
  range: TimeRange,
  where: string,
): CertificateAuthority {
  if (certificates.length === 0) throw invalid(`${where} is empty`);
  if (certificates.length > MAX_CHAIN) throw invalid(`${where} has more than ${MAX_CHAIN} certificates`);
  const chain = arrange(
    certificates.map((der, i) => parseAt(der, `${where}[${i}]`)),
    where,
  );
  assertAuthorities(chain, use, where);
  let validFor = range;
  const trusted = chain
    .toReversed()
    .map((certificate): TrustedCertificate => {
      validFor = intersection(validFor, { start: certificate.notBefore, end: certificate.notAfter });
      return { certificate, validFor };
    })
    .reverse();
  return { chain: trusted };
}

function parseAt(der: Uint8Array, where: string): Certificate {
  try {
    return parseCertificate(der);
  } catch (cause) {
    throw invalid(`${where} is not a certificate`, cause);
  }
}

/** From the one that issued none of the others, each before its issuer. More than one such order is refused. */
function arrange(certificates: readonly Certificate[], where: string): Certificate[] {
  const chain: Certificate[] = [];
  let next = certificates.filter(
    (one) => !certificates.some((other) => other !== one && isIssuedBy(other, one)),
  );
  while (chain.length < certificates.length) {
    const [only, ...others] = next;
    if (only === undefined || others.length > 0) throw invalid(`${where} is not one chain of certificates`);
    chain.push(only);
    next = certificates.filter((one) => !chain.includes(one) && isIssuedBy(only, one));
  }
  return chain;
}

function assertAuthorities(chain: readonly Certificate[], use: AuthorityUse, where: string): void {
  // Below the first certificate of these chains stands the signer's own. Timestamps' chains may begin with it.
  const signer = use === "timestamps" && !isAuthority(chain[0], 0, where) ? 1 : 0;
  for (const [i, certificate] of chain.slice(signer).entries()) {
    if (!isAuthority(certificate, i, where)) {
      throw invalid(`${where} has a certificate above the first that may not issue the ones below it`);
    }
  }
}

/** Whether it may issue certificates with this many intermediate authorities below it. */
function isAuthority(certificate: Certificate | undefined, below: number, where: string): boolean {
  if (certificate === undefined) return false;
  try {
    const { ca, pathLength = Number.POSITIVE_INFINITY } = basicConstraintsOf(certificate);
    return ca && pathLength >= below && keyUsageOf(certificate)?.keyCertSign !== false;
  } catch (cause) {
    throw invalid(`${where} has a certificate whose extensions cannot be read`, cause);
  }
}
