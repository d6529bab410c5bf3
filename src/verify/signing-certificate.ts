import type { KeyObject } from "node:crypto";
import { type DerElement, DerError, derChildren, expectTag, hexOf, readDer, TAG } from "../der/reader.ts";
import { VouchsafeError } from "../errors.ts";
import { type Certificate, extensionOf, parseCertificate } from "../x509/certificate.ts";
import { basicConstraintsOf, extendedKeyUsagesOf, keyUsageOf } from "../x509/extensions.ts";
import { CODE_SIGNING, COMMON_NAME, EXTENSION } from "../x509/oids.ts";

/** A certificate that signed evidence, and the name it gives its holder. Believed only once its chain is. */
export interface SigningCertificate {
  readonly certificate: Certificate;
  readonly publicKey: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  readonly identity: string;
}

/** Extended key usage, hex of its DER. */
const FOR_CODE_SIGNING = hexOf(CODE_SIGNING);

/** Extensions that may be critical, because they are read here. */
const UNDERSTOOD: ReadonlySet<string> = new Set(
  [EXTENSION.keyUsage, EXTENSION.extKeyUsage, EXTENSION.subjectAltName, EXTENSION.basicConstraints].map(
    hexOf,
  ),
);

/** Fulcio's otherName for user names, 1.3.6.1.4.1.57264.1.7, as DER (sigstore/fulcio docs/oid-info.md). */
const FULCIO_USER_NAME = "060a2b0601040183bf300107";

const GENERAL_NAME = { otherName: 0xa0, email: 0x81, dns: 0x82, uri: 0x86 } as const;

/**
 * Reads a signing certificate: an end entity's, for code signing, with one name.
 *
 * Throws `VouchsafeError` (`certificate-invalid`).
 */
export function parseSigningCertificate(der: Uint8Array): SigningCertificate {
  return readingCertificate(() => {
    const { certificate, identity } = readNamed(der);
    const { publicKey, spki } = certificate;
    if (publicKey === undefined) throw invalid("its key is of a kind that is not taken");
    if (basicConstraintsOf(certificate).ca) throw invalid("it is an authority's");
    if (keyUsageOf(certificate)?.digitalSignature === false) throw invalid("its key may not sign");
    if (!extendedKeyUsagesOf(certificate)?.includes(FOR_CODE_SIGNING))
      throw invalid("it is not for code signing");
    for (const [id, { critical }] of certificate.extensions) {
      if (critical && !UNDERSTOOD.has(id)) throw invalid("a critical extension is not understood here");
    }
    return { certificate, publicKey, spki, identity };
  });
}

/** The certificate and the name it gives its holder, whatever it may be used for. Throws `VouchsafeError` (`certificate-invalid`). */
export function parseNamedCertificate(der: Uint8Array): Pick<SigningCertificate, "certificate" | "identity"> {
  return readingCertificate(() => readNamed(der));
}

function readNamed(der: Uint8Array): Pick<SigningCertificate, "certificate" | "identity"> {
  const certificate = parseCertificate(der);
  return { certificate, identity: readIdentity(certificate) };
}

/** Runs it, and throws what it could not read as `VouchsafeError` (`certificate-invalid`). */
export function readingCertificate<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) throw invalid("it cannot be read", error);
    throw error;
  }
}

/** The one subject alternative name, or without any the one common name of the subject. */
function readIdentity(certificate: Certificate): string {
  const names = extensionOf(certificate, EXTENSION.subjectAltName)?.element();
  if (names === undefined) return readCommonName(certificate.subject);
  const [name, ...others] = expectTag(names, TAG.sequence).children();
  if (name === undefined || others.length > 0) {
    throw invalid("it does not have exactly one subject alternative name");
  }
  switch (name.tag) {
    case GENERAL_NAME.email:
    case GENERAL_NAME.dns:
    case GENERAL_NAME.uri:
      return text(name.content);
    case GENERAL_NAME.otherName:
      return readOtherName(name.content);
    default:
      throw invalid("its subject alternative name is of a kind that is not taken");
  }
}

/** `SEQUENCE { type-id OID, value [0] EXPLICIT UTF8String }`, implicitly tagged (RFC 5280 §4.2.1.6). */
function readOtherName(content: Uint8Array): string {
  const [type, value] = derChildren(content);
  if (expectTag(type, TAG.oid).hex !== FULCIO_USER_NAME) throw invalid("its otherName is not Fulcio's");
  return text(expectTag(expectTag(value, 0xa0).only(), TAG.utf8String).content);
}

const COMMON_NAME_ID = hexOf(COMMON_NAME);

function readCommonName(subject: Uint8Array): string {
  const [only, ...others] = commonNamesOf(subject);
  if (only === undefined || others.length > 0) throw invalid("it does not have exactly one name");
  return text(only.content);
}

/** The common names in a Name (RFC 5280 §4.1.2.4), each a DirectoryString. Throws `DerError`. */
export function commonNamesOf(name: Uint8Array): DerElement[] {
  return readDer(name)
    .children()
    .flatMap((set) =>
      expectTag(set, TAG.set)
        .children()
        .flatMap((attribute) => {
          const [type, value] = expectTag(attribute, TAG.sequence).children();
          return value !== undefined && expectTag(type, TAG.oid).hex === COMMON_NAME_ID ? [value] : [];
        }),
    );
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A name: UTF-8, not empty. Throws `DerError`. */
export function text(bytes: Uint8Array): string {
  if (bytes.length === 0) throw new DerError("a name is empty");
  try {
    return utf8.decode(bytes);
  } catch {
    throw new DerError("a name is not UTF-8");
  }
}

export function invalid(what: string, cause?: unknown): VouchsafeError {
  const options = cause === undefined ? {} : { cause };
  return new VouchsafeError("certificate-invalid", `the signing certificate is refused: ${what}`, options);
}
