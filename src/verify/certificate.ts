import { type KeyObject, X509Certificate } from "node:crypto";
import { type DerElement, DerError, derChildren, expectTag, readDer, TAG } from "../der/reader.ts";
import { VouchsafeError } from "../errors.ts";
import { type Certificate, parseCertificate, isIssuedBy as wasIssuedBy } from "../x509/certificate.ts";
import type { CertificateClaims } from "./verified-attestation.ts";

/** What a signing certificate says of its holder. Believed only once its chain is verified. */
export interface SigningCertificate {
  readonly x509: X509Certificate;
  readonly publicKey: KeyObject;
  readonly issuer: string;
  readonly identity: string;
  readonly claims: CertificateClaims;
}

/** Fulcio's arc 1.3.6.1.4.1.57264.1, as DER content bytes in hex; the last byte is the extension's number. */
const FULCIO_ARC = "2b0601040183bf3001";
const SUBJECT_ALT_NAME = "551d11";
const CODE_SIGNING = "1.3.6.1.5.5.7.3.3";

/** Numbers under Fulcio's arc (sigstore/fulcio docs/oid-info.md). Up to 6 the value is bare text, then DER. */
const ISSUER_V1 = 1;
const OTHER_NAME = 7;
const ISSUER_V2 = 8;
const CLAIMS: readonly (readonly [number, keyof CertificateClaims])[] = [
  [9, "buildSignerUri"],
  [10, "buildSignerDigest"],
  [11, "runnerEnvironment"],
  [12, "sourceRepositoryUri"],
  [13, "sourceRepositoryDigest"],
  [14, "sourceRepositoryRef"],
  [15, "sourceRepositoryIdentifier"],
  [16, "sourceRepositoryOwnerUri"],
  [17, "sourceRepositoryOwnerIdentifier"],
  [18, "buildConfigUri"],
  [19, "buildConfigDigest"],
  [20, "buildTrigger"],
  [21, "runInvocationUri"],
  [22, "sourceRepositoryVisibility"],
];

/** The older extensions that only GitHub Actions' certificates have, for those that lack the newer ones. */
const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";
const GITHUB_CLAIMS: readonly (readonly [number, keyof CertificateClaims, (value: string) => string])[] = [
  [2, "buildTrigger", (trigger) => trigger],
  [3, "sourceRepositoryDigest", (commit) => commit],
  [5, "sourceRepositoryUri", (repository) => `https://github.com/${repository}`],
  [6, "sourceRepositoryRef", (ref) => ref],
];

/**
 * Reads a Fulcio signing certificate: an end-entity certificate for code signing with one subject alternative
 * name and an OIDC issuer.
 *
 * Throws `VouchsafeError` (`certificate-invalid`).
 */
export function parseSigningCertificate(der: Uint8Array): SigningCertificate {
  try {
    const x509 = new X509Certificate(der);
    if (x509.ca) throw invalid("it is an authority's");
    // Node names the extended key usages `keyUsage`.
    if (!x509.keyUsage?.includes(CODE_SIGNING)) throw invalid("it is not for code signing");
    const extensions = readExtensions(der);
    const issuer = readIssuer(extensions);
    return {
      x509,
      publicKey: x509.publicKey,
      issuer,
      identity: readIdentity(extensions),
      claims: readClaims(extensions, issuer),
    };
  } catch (error) {
    if (error instanceof VouchsafeError) throw error;
    throw invalid("it cannot be read", error);
  }
}

/** Whether the authority signed the certificate. Says nothing of times, nor of who signed the authority. */
export function isIssuedBy({ x509 }: SigningCertificate, authority: Certificate): boolean {
  try {
    return wasIssuedBy(parseCertificate(x509.raw), authority);
  } catch {
    return false;
  }
}

/** Extension OID (DER content, hex) → value (content of the OCTET STRING). RFC 5280 §4.1. */
function readExtensions(der: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const [tbs, , signature, ...rest] = derChildren(expectTag(readDer(der), TAG.sequence).content);
  // OpenSSL reads past a wrong tag or unused bits here, and others do not: one reading only.
  if (expectTag(signature, TAG.bitString).content[0] !== 0 || rest.length > 0)
    throw new DerError("bad signature value");
  const explicit = derChildren(expectTag(tbs, TAG.sequence).content).find(({ tag }) => tag === 0xa3);
  if (explicit === undefined) throw new DerError("there are no extensions");
  const extensions = new Map<string, Uint8Array>();
  for (const extension of derChildren(expectTag(readDer(explicit.content), TAG.sequence).content)) {
    const parts = derChildren(expectTag(extension, TAG.sequence).content);
    const oid = Buffer.from(expectTag(parts[0], TAG.oid).content).toString("hex");
    if (extensions.has(oid)) throw new DerError("an extension is there twice");
    extensions.set(oid, expectTag(parts.at(-1), TAG.octetString).content);
  }
  return extensions;
}

function readIssuer(extensions: ReadonlyMap<string, Uint8Array>): string {
  const bare = fulcioValue(extensions, ISSUER_V1);
  const issuer = fulcioValue(extensions, ISSUER_V2) ?? bare;
  if (issuer === undefined) throw invalid("it names no OIDC issuer");
  if (bare !== undefined && bare !== issuer) throw invalid("it names two OIDC issuers");
  return issuer;
}

/** The one subject alternative name: a URI, an e-mail address, or Fulcio's otherName (a user name). */
function readIdentity(extensions: ReadonlyMap<string, Uint8Array>): string {
  const value = extensions.get(SUBJECT_ALT_NAME);
  if (value === undefined) throw invalid("it has no subject alternative name");
  const [name, ...others] = derChildren(expectTag(readDer(value), TAG.sequence).content);
  if (name === undefined || others.length > 0)
    throw invalid("it does not have exactly one subject alternative name");
  switch (name.tag) {
    case 0x81:
    case 0x86:
      return text(name.content);
    case 0xa0:
      return readOtherName(name);
    default:
      throw invalid("its subject alternative name is of a kind that is not taken");
  }
}

/** `SEQUENCE { type-id OID, value [0] EXPLICIT UTF8String }`, implicitly tagged (RFC 5280 §4.2.1.6). */
function readOtherName(name: DerElement): string {
  const [type, value] = derChildren(name.content);
  if (Buffer.from(expectTag(type, TAG.oid).content).toString("hex") !== fulcioOid(OTHER_NAME)) {
    throw invalid("its otherName is not Fulcio's");
  }
  return text(expectTag(readDer(expectTag(value, 0xa0).content), TAG.utf8String).content);
}

function readClaims(extensions: ReadonlyMap<string, Uint8Array>, issuer: string): CertificateClaims {
  const claims: { -readonly [K in keyof CertificateClaims]: CertificateClaims[K] } = {};
  for (const [number, claim] of CLAIMS) {
    const value = fulcioValue(extensions, number);
    if (value !== undefined) claims[claim] = value;
  }
  if (issuer !== GITHUB_ISSUER) return claims;
  for (const [number, claim, convert] of GITHUB_CLAIMS) {
    const value = fulcioValue(extensions, number);
    if (value !== undefined) claims[claim] ??= convert(value);
  }
  return claims;
}

function fulcioValue(extensions: ReadonlyMap<string, Uint8Array>, number: number): string | undefined {
  const value = extensions.get(fulcioOid(number));
  if (value === undefined) return undefined;
  return text(number < OTHER_NAME ? value : expectTag(readDer(value), TAG.utf8String).content);
}

function fulcioOid(number: number): string {
  return FULCIO_ARC + number.toString(16).padStart(2, "0");
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function text(bytes: Uint8Array): string {
  const value = utf8.decode(bytes);
  if (value === "") throw new DerError("a name is empty");
  return value;
}

function invalid(what: string, cause?: unknown): VouchsafeError {
  const options = cause === undefined ? {} : { cause };
  return new VouchsafeError("certificate-invalid", `the signing certificate is refused: ${what}`, options);
}
