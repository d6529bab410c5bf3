import { DerError } from "../der/reader.ts";
import { datesOf, mostBelow, type TrustedCertificate } from "../trust/authority.ts";
import { intersection, type TimeRange } from "../trust/time-range.ts";
import { type Certificate, parseCertificate } from "../x509/certificate.ts";
import { authorityKeyIdentifierOf, subjectKeyIdentifierOf } from "../x509/extensions.ts";
import type { Anchor } from "./anchors.ts";
import { displayNameOf } from "./display-name.ts";
import { issuanceCheck } from "./issuance.ts";
import type { Claim, SignatureCheck } from "./signature-check.ts";
import { readingCertificate } from "./signing-certificate.ts";

/** How a signing certificate descends from a trusted one. */
export interface CertificationPath {
  /** The certificate that issued the signing one. */
  readonly issuer: Certificate;
  /** From the issuer up to the root. */
  readonly above: readonly Certificate[];
  /** When every certificate of the path is valid, the signing one included. */
  readonly validFor: TimeRange;
}

/** Certificates that evidence may put between the signing one and a trusted one. */
const MAX_INTERMEDIATES = 4;

/** Certificates that bear one name could have issued each other in any order: only so many paths, the shortest, are tried. */
const MAX_PATHS = 8;

/**
 * Certificates that came with the evidence, as far as they can be read: nothing signs the list, so the others are
 * passed over.
 */
export function readIntermediates(intermediates: readonly Uint8Array[]): readonly Certificate[] {
  return intermediates.flatMap((der) => {
    try {
      const certificate = parseCertificate(der);
      issuingPowersOf(certificate);
      authorityKeyIdentifierOf(certificate);
      return [certificate];
    } catch (error) {
      if (error instanceof DerError) return [];
      throw error;
    }
  });
}

/**
 * The paths up to this anchor that the certificates' names allow, each a claim on the signatures along it (RFC 5280
 * §6.1; those from the trusted certificate upwards were verified when trust was loaded). Certificates that came
 * with the evidence count under private roots only: Sigstore builds chains from its trusted root alone
 * (sigstore_common.proto).
 *
 * Throws `VouchsafeError` (`certificate-invalid`) for a certificate that cannot be read.
 */
export function pathsTo(
  anchor: Anchor,
  signing: Certificate,
  intermediates: () => readonly Certificate[],
): Claim<CertificationPath>[] {
  return readingCertificate(() => {
    const between = anchor.instance === undefined ? intermediates() : [];
    const found: Claim<CertificationPath>[] = [];
    let open: readonly OpenPath[] = [{ path: [signing], checks: [], validFor: datesOf(signing) }];
    for (let length = 0; length <= MAX_INTERMEDIATES; length += 1) {
      found.push(...open.flatMap((one) => endsOf(one, anchor)));
      open = open.flatMap((one) => extend(one, between)).slice(0, MAX_PATHS);
    }
    return found.slice(0, MAX_PATHS);
  });
}

/** A path under construction: the signing certificate first, and who signed each but the last. */
interface OpenPath {
  readonly path: readonly [Certificate, ...Certificate[]];
  readonly checks: readonly SignatureCheck[];
  readonly validFor: TimeRange;
}

/** The path, ended by each trusted certificate that may have issued its last one. */
function endsOf({ path, checks, validFor }: OpenPath, anchor: Anchor): Claim<CertificationPath>[] {
  return anchor.authorities.flatMap(({ chain }) =>
    chain.flatMap((trusted, i): Claim<CertificationPath>[] => {
      const check = issuedBy(path, trusted.certificate);
      if (check === undefined || !mayStandAbove(chain.slice(i), path.length - 1)) return [];
      const above = [...path.slice(1), ...chain.slice(i).map(({ certificate }) => certificate)];
      const found = {
        issuer: above[0] ?? trusted.certificate,
        above,
        validFor: intersection(validFor, trusted.validFor),
      };
      return [{ checks: [...checks, check], found }];
    }),
  );
}

/** Whether each of them allows for so many more authorities below as the evidence adds to what trust holds. */
function mayStandAbove(trusted: readonly TrustedCertificate[], added: number): boolean {
  return trusted.every(({ certificate }, i) => added + i <= issuingPowersOf(certificate).maxBelow);
}

/** The path, one longer by each certificate of the evidence that may have issued its last one. */
function extend({ path, checks, validFor }: OpenPath, between: readonly Certificate[]): OpenPath[] {
  return between.flatMap((issuer) => {
    const check = path.includes(issuer) ? undefined : issuedBy(path, issuer);
    if (check === undefined) return [];
    return {
      path: [...path, issuer] as const,
      checks: [...checks, check],
      validFor: intersection(validFor, datesOf(issuer)),
    };
  });
}

/** The check that this authority issued the last certificate of the path; undefined where it cannot have. */
function issuedBy(path: OpenPath["path"], authority: Certificate): SignatureCheck | undefined {
  const certificate = path.at(-1) ?? path[0];
  if (authority.publicKey === undefined) return undefined;
  if (Buffer.compare(certificate.issuer, authority.subject) !== 0) return undefined;
  const { maxBelow, keyIdentifier } = issuingPowersOf(authority);
  if (path.length - 1 > maxBelow) return undefined;
  const named = authorityKeyIdentifierOf(certificate);
  if (named !== undefined && keyIdentifier !== undefined && Buffer.compare(named, keyIdentifier) !== 0) {
    return undefined;
  }
  return issuanceCheck(certificate, authority);
}

interface IssuingPowers {
  /** Intermediate authorities that may stand below it; -1 for a certificate that may issue nothing for code signing. */
  readonly maxBelow: number;
  readonly keyIdentifier: Uint8Array | undefined;
  readonly name: string;
}

const powers = new WeakMap<Certificate, IssuingPowers>();

/** Read once for each certificate that trust holds. */
function issuingPowersOf(certificate: Certificate): IssuingPowers {
  const known = powers.get(certificate) ?? {
    maxBelow: mostBelow(certificate, "attestations"),
    keyIdentifier: subjectKeyIdentifierOf(certificate),
    name: displayNameOf(certificate.subject) ?? "an authority without a common name",
  };
  powers.set(certificate, known);
  return known;
}

/** What people call an authority of a path. */
export function nameOf(certificate: Certificate): string {
  return issuingPowersOf(certificate).name;
}
