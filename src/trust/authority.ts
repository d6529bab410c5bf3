import { hexOf } from "../der/reader.ts";
import { VouchsafeError } from "../errors.ts";
import { type Certificate, isIssuedBy, parseCertificate } from "../x509/certificate.ts";
import { basicConstraintsOf, extendedKeyUsagesOf, keyUsageOf } from "../x509/extensions.ts";
import { ANY_EXTENDED_KEY_USAGE, CODE_SIGNING, EXTENSION, TIME_STAMPING } from "../x509/oids.ts";
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
  /** Who runs it, where the document says so. */
  readonly operator?: string;
}

/** What the first certificate of a chain is there for: to issue certificates, or to sign timestamps or issue those that do. */
export type AuthorityUse = "attestations" | "timestamps";

export const MAX_CHAIN = 8;
const MAX_BUNDLE = 32;

/**
 * Reads the certificates (DER) of one authority in any order, as X509CertificateChain leaves it open
 * (sigstore_common.proto). Each must be issued by another up to the last, which is trusted by fiat; each that
 * issues must be an authority that may, and nothing in it may ask for what is not done here: name constraints,
 * for one (RFC 5280 §6.1.4 k to o). An extended key usage binds everything below, as in the Web's PKI.
 *
 * Throws `VouchsafeError` (`invalid-trust`).
 */
export function parseAuthority(
  certificates: readonly Uint8Array[],
  use: AuthorityUse,
  range: TimeRange,
  where: string,
): CertificateAuthority {
  const [authority, ...others] = parseAuthorities(certificates, use, range, where);
  if (authority === undefined || others.length > 0)
    throw invalid(`${where} is not one chain of certificates`);
  return authority;
}

/** The same for authorities that may share those above them: one chain for each that issued none of the others. */
export function parseAuthorities(
  certificates: readonly Uint8Array[],
  use: AuthorityUse,
  range: TimeRange,
  where: string,
): CertificateAuthority[] {
  if (certificates.length === 0) throw invalid(`${where} is empty`);
  if (certificates.length > MAX_BUNDLE) throw invalid(`${where} has more than ${MAX_BUNDLE} certificates`);
  const all = certificates.map((der, i) => parseAt(der, `${where}[${i}]`));
  const chains = all
    .filter((one) => !all.some((other) => other !== one && isIssuedBy(other, one)))
    .map((first) => chainOf(first, all, where));
  // What is in none, e.g. a certificate that is there twice, would be believed by nobody without a word.
  if (new Set(chains.flat()).size < all.length)
    throw invalid(`${where} has certificates that are in no chain`);
  return chains.map((chain) => {
    assertAuthorities(chain, use, where);
    return { chain: bounded(chain, range) };
  });
}

/** Each certificate before its issuer. Where one has two, which of them is meant is not guessed. */
function chainOf(first: Certificate, all: readonly Certificate[], where: string): Certificate[] {
  const chain: Certificate[] = [];
  for (let next: readonly Certificate[] = [first]; next.length > 0; ) {
    const [one, ...others] = next;
    if (one === undefined || others.length > 0) throw invalid(`${where} has two issuers of one certificate`);
    chain.push(one);
    if (chain.length > MAX_CHAIN)
      throw invalid(`${where} has a chain of more than ${MAX_CHAIN} certificates`);
    next = all.filter((other) => !chain.includes(other) && isIssuedBy(one, other));
  }
  return chain;
}

function bounded(chain: readonly Certificate[], range: TimeRange): TrustedCertificate[] {
  let validFor = range;
  return chain
    .toReversed()
    .map((certificate) => {
      validFor = intersection(validFor, datesOf(certificate));
      return { certificate, validFor };
    })
    .reverse();
}

/** When the certificate is valid by its own word. */
export function datesOf({ notBefore, notAfter }: Certificate): TimeRange {
  return { start: notBefore, end: notAfter };
}

function parseAt(der: Uint8Array, where: string): Certificate {
  try {
    return parseCertificate(der);
  } catch (cause) {
    throw invalid(`${where} is not a certificate`, cause);
  }
}

function assertAuthorities(chain: readonly Certificate[], use: AuthorityUse, where: string): void {
  try {
    // Below the first certificate stands the signer's own, unless that is the first of a chain for timestamps.
    const [first] = chain;
    const signer = use === "timestamps" && first !== undefined && !basicConstraintsOf(first).ca ? 1 : 0;
    for (const [i, certificate] of chain.entries()) {
      if (!mayBeUsed(certificate, use)) throw invalid(`${where} has a certificate that is not for ${use}`);
      if (i >= signer && mostBelow(certificate, use) < i - signer) {
        throw invalid(`${where} has a certificate that may not issue the ones below it`);
      }
    }
  } catch (cause) {
    if (cause instanceof VouchsafeError) throw cause;
    throw invalid(`${where} has a certificate whose extensions cannot be read`, cause);
  }
}

/**
 * How many authorities may stand between it and a signer's certificate; -1 for one that may issue nothing for this
 * use. Throws `DerError`.
 */
export function mostBelow(certificate: Certificate, use: AuthorityUse): number {
  const { ca, pathLength = Number.POSITIVE_INFINITY } = basicConstraintsOf(certificate);
  const mayIssue = ca && keyUsageOf(certificate)?.keyCertSign !== false && mayBeUsed(certificate, use);
  return mayIssue ? pathLength : -1;
}

const PURPOSE: Readonly<Record<AuthorityUse, string>> = {
  attestations: hexOf(CODE_SIGNING),
  timestamps: hexOf(TIME_STAMPING),
};
const ANY_PURPOSE = hexOf(ANY_EXTENDED_KEY_USAGE);

/** The critical extensions that are obeyed here. */
const OBEYED: ReadonlySet<string> = new Set(
  [EXTENSION.basicConstraints, EXTENSION.keyUsage, EXTENSION.extKeyUsage].map(hexOf),
);

/** Name constraints that are not critical, as many authorities write them, bind with everybody else all the same. */
const NAME_CONSTRAINTS = hexOf(EXTENSION.nameConstraints);

function mayBeUsed(certificate: Certificate, use: AuthorityUse): boolean {
  const purposes = extendedKeyUsagesOf(certificate);
  const isObeyed = [...certificate.extensions].every(
    ([id, { critical }]) => id !== NAME_CONSTRAINTS && (!critical || OBEYED.has(id)),
  );
  return isObeyed && (purposes?.some((one) => one === PURPOSE[use] || one === ANY_PURPOSE) ?? true);
}
