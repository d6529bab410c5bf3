import { type DerElement, DerError, expectTag, TAG } from "../der/reader.ts";
import { type Certificate, extensionOf } from "./certificate.ts";
import { EXTENSION } from "./oids.ts";

/** uniformResourceIdentifier among GeneralNames (RFC 5280 §4.2.1.6). */
export const URI_NAME = 0x86;

/** keyIdentifier of AuthorityKeyIdentifier (RFC 5280 §4.2.1.1). */
export const KEY_IDENTIFIER = 0x80;

/** Bits of KeyUsage in its first byte (RFC 5280 §4.2.1.3). */
export const DIGITAL_SIGNATURE = 0x80;
const CONTENT_COMMITMENT = 0x40;
export const KEY_CERT_SIGN = 0x04;
export const CRL_SIGN = 0x02;

/** The key identifier that a certificate gives its own key; undefined when it gives none. Throws `DerError`. */
export function subjectKeyIdentifierOf(certificate: Certificate): Uint8Array | undefined {
  const extension = extensionOf(certificate, EXTENSION.subjectKeyIdentifier)?.element();
  return extension === undefined ? undefined : expectTag(extension, TAG.octetString).content;
}

/** The key identifier of its issuer that a certificate names; undefined when it names none. Throws `DerError`. */
export function authorityKeyIdentifierOf(certificate: Certificate): Uint8Array | undefined {
  const extension = extensionOf(certificate, EXTENSION.authorityKeyIdentifier)?.element();
  if (extension === undefined) return undefined;
  const [first] = expectTag(extension, TAG.sequence).children();
  return first?.tag === KEY_IDENTIFIER ? first.content : undefined;
}

/** What its key may be used for, each OID as hex of its DER; undefined for a certificate that does not say. Throws `DerError`. */
export function extendedKeyUsagesOf(certificate: Certificate): readonly string[] | undefined {
  const extension = extensionOf(certificate, EXTENSION.extKeyUsage)?.element();
  if (extension === undefined) return undefined;
  const usages = expectTag(extension, TAG.sequence).children();
  if (usages.length === 0) throw new DerError("the extended key usage is empty");
  return usages.map((usage) => expectTag(usage, TAG.oid).hex);
}

/** Every URI among the subject's alternative names. Throws `DerError`. */
export function uriNamesOf(certificate: Certificate): string[] {
  const extension = extensionOf(certificate, EXTENSION.subjectAltName)?.element();
  if (extension === undefined) return [];
  return expectTag(extension, TAG.sequence)
    .children()
    .filter(({ tag }) => tag === URI_NAME)
    .map(({ latin1 }) => latin1);
}

export interface BasicConstraints {
  readonly ca: boolean;
  /** Most intermediate authorities below it; undefined for any number. */
  readonly pathLength?: number;
}

/** RFC 5280 §4.2.1.9; an absent extension is no authority. Throws `DerError`. */
export function basicConstraintsOf(certificate: Certificate): BasicConstraints {
  const extension = extensionOf(certificate, EXTENSION.basicConstraints)?.element();
  if (extension === undefined) return { ca: false };
  const [ca, pathLength, ...rest] = expectTag(extension, TAG.sequence).children();
  if (ca === undefined) return { ca: false };
  if (rest.length > 0 || !isTrue(ca)) throw new DerError("the basic constraints are malformed");
  if (pathLength === undefined) return { ca: true };
  const { content } = expectTag(pathLength, TAG.integer);
  const [length = 0xff] = content;
  if (content.length !== 1 || length > 0x7f) throw new DerError("the path length is malformed");
  return { ca: true, pathLength: length };
}

export interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly contentCommitment: boolean;
  readonly keyCertSign: boolean;
  readonly crlSign: boolean;
}

/** Undefined for a certificate that does not say. Throws `DerError`. */
export function keyUsageOf(certificate: Certificate): KeyUsage | undefined {
  const extension = extensionOf(certificate, EXTENSION.keyUsage)?.element();
  if (extension === undefined) return undefined;
  const [unusedBits = 8, first = 0] = expectTag(extension, TAG.bitString).content;
  if (unusedBits > 7) throw new DerError("the key usage is malformed");
  return {
    digitalSignature: (first & DIGITAL_SIGNATURE) !== 0,
    contentCommitment: (first & CONTENT_COMMITMENT) !== 0,
    keyCertSign: (first & KEY_CERT_SIGN) !== 0,
    crlSign: (first & CRL_SIGN) !== 0,
  };
}

function isTrue({ tag, content }: DerElement): boolean {
  return tag === TAG.boolean && content.length === 1 && content[0] === 0xff;
}
