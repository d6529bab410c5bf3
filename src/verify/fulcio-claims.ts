import { expectTag, hexOf, TAG } from "../der/reader.ts";
import { oid } from "../der/writer.ts";
import type { Certificate } from "../x509/certificate.ts";
import { invalid, readingCertificate, text } from "./signing-certificate.ts";
import type { CertificateClaims } from "./verified-attestation.ts";

/** Fulcio's arc; the last number names the extension (sigstore/fulcio docs/oid-info.md). */
const ARC = "1.3.6.1.4.1.57264.1";

interface FulcioExtension {
  /** Hex of the OID's DER. */
  readonly id: string;
  /** Up to number 6 the value is bare text, then a DER UTF8String. */
  readonly bare: boolean;
}

function fulcio(number: number): FulcioExtension {
  return { id: hexOf(oid(`${ARC}.${number}`)), bare: number < 7 };
}

const ISSUER_V1 = fulcio(1);
const ISSUER_V2 = fulcio(8);

const CLAIMS: readonly (readonly [FulcioExtension, keyof CertificateClaims])[] = [
  [fulcio(9), "buildSignerUri"],
  [fulcio(10), "buildSignerDigest"],
  [fulcio(11), "runnerEnvironment"],
  [fulcio(12), "sourceRepositoryUri"],
  [fulcio(13), "sourceRepositoryDigest"],
  [fulcio(14), "sourceRepositoryRef"],
  [fulcio(15), "sourceRepositoryIdentifier"],
  [fulcio(16), "sourceRepositoryOwnerUri"],
  [fulcio(17), "sourceRepositoryOwnerIdentifier"],
  [fulcio(18), "buildConfigUri"],
  [fulcio(19), "buildConfigDigest"],
  [fulcio(20), "buildTrigger"],
  [fulcio(21), "runInvocationUri"],
  [fulcio(22), "sourceRepositoryVisibility"],
];

/** The older extensions that only GitHub Actions' certificates have, for those that lack the newer ones. */
const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";
const GITHUB_CLAIMS: readonly (readonly [
  FulcioExtension,
  keyof CertificateClaims,
  (value: string) => string,
])[] = [
  [fulcio(2), "buildTrigger", (trigger) => trigger],
  [fulcio(3), "sourceRepositoryDigest", (commit) => commit],
  [fulcio(5), "sourceRepositoryUri", (repository) => `https://github.com/${repository}`],
  [fulcio(6), "sourceRepositoryRef", (ref) => ref],
];

/** Under which OIDC issuer Fulcio knew the holder, and what else it wrote of it. */
export interface FulcioIdentity {
  /** Absent where none stands behind the name, as for the releases that GitHub itself attests (`gh release verify`). */
  readonly issuer?: string;
  readonly claims: CertificateClaims;
}

/** Reads what Fulcio certified. Throws `VouchsafeError` (`certificate-invalid`). */
export function readFulcioIdentity(certificate: Certificate): FulcioIdentity {
  return readingCertificate(() => {
    const issuer = readIssuer(certificate);
    return { ...(issuer !== undefined && { issuer }), claims: readClaims(certificate, issuer) };
  });
}

function readIssuer(certificate: Certificate): string | undefined {
  const bare = claimAt(certificate, ISSUER_V1);
  const issuer = claimAt(certificate, ISSUER_V2) ?? bare;
  // Our own word for certificates that name none.
  if (issuer?.startsWith("x509:")) throw invalid("its OIDC issuer is none");
  if (bare !== undefined && bare !== issuer) throw invalid("it names two OIDC issuers");
  return issuer;
}

function readClaims(certificate: Certificate, issuer: string | undefined): CertificateClaims {
  const claims: { -readonly [K in keyof CertificateClaims]: CertificateClaims[K] } = {};
  for (const [extension, claim] of CLAIMS) {
    const value = claimAt(certificate, extension);
    if (value !== undefined) claims[claim] = value;
  }
  if (issuer !== GITHUB_ISSUER) return claims;
  for (const [extension, claim, convert] of GITHUB_CLAIMS) {
    const value = claimAt(certificate, extension);
    if (value !== undefined) claims[claim] ??= convert(value);
  }
  return claims;
}

function claimAt({ extensions }: Certificate, { id, bare }: FulcioExtension): string | undefined {
  const extension = extensions.get(id);
  if (extension === undefined) return undefined;
  return text(bare ? extension.value : expectTag(extension.element(), TAG.utf8String).content);
}
