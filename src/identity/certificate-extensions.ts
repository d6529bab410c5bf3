import { hash } from "node:crypto";
import { type DerElement, DerError, derChildren, expectTag, hexOf, readDer, TAG } from "../der/reader.ts";
import { der, octetString, sequence } from "../der/writer.ts";
import { type Certificate, extensionOf } from "./certificate.ts";
import { criticalExtension, extension } from "./certificate-writer.ts";
import { CLIENT_AUTH, EXTENSION, SERVER_AUTH } from "./oids.ts";
import { subjectPublicKeyOf } from "./public-keys.ts";

// What SPIFFE asks of certificates' extensions (X509-SVID.md §4), written and read.

/** uniformResourceIdentifier among GeneralNames (RFC 5280 §4.2.1.6). */
const URI_NAME = 0x86;
const KEY_IDENTIFIER = 0x80;

/** Bits of KeyUsage in its first byte (RFC 5280 §4.2.1.3). */
const DIGITAL_SIGNATURE = 0x80;
const KEY_CERT_SIGN = 0x04;
const CRL_SIGN = 0x02;

/** What every leaf has alike. */
export const LEAF_EXTENSIONS: readonly Uint8Array[] = [
  criticalExtension(EXTENSION.keyUsage, der(TAG.bitString, Buffer.of(7, DIGITAL_SIGNATURE))),
  extension(EXTENSION.extKeyUsage, sequence(SERVER_AUTH, CLIENT_AUTH)),
  criticalExtension(EXTENSION.basicConstraints, sequence()),
];

/** What a signing certificate has: it may sign certificates and revocation lists, and nothing else. */
export const AUTHORITY_EXTENSIONS: readonly Uint8Array[] = [
  criticalExtension(EXTENSION.keyUsage, der(TAG.bitString, Buffer.of(1, KEY_CERT_SIGN | CRL_SIGN))),
  criticalExtension(EXTENSION.basicConstraints, sequence(der(TAG.boolean, Buffer.of(0xff)))),
];

/** A key's identifier: the first 160 bits of its sha256 (RFC 7093 §2, method 1). */
export function keyIdentifierOf(spki: Uint8Array): Uint8Array {
  return hash("sha256", subjectPublicKeyOf(spki), "buffer").subarray(0, 20);
}

export function subjectKeyIdentifier(keyIdentifier: Uint8Array): Buffer {
  return extension(EXTENSION.subjectKeyIdentifier, octetString(keyIdentifier));
}

export function authorityKeyIdentifier(keyIdentifier: Uint8Array): Buffer {
  return extension(EXTENSION.authorityKeyIdentifier, sequence(der(KEY_IDENTIFIER, keyIdentifier)));
}

/** The value of a subjectAltName that holds one URI, in ASCII. */
export function uriName(uri: Uint8Array): Buffer {
  return sequence(der(URI_NAME, uri));
}

/** The key identifier that a certificate gives its own key; undefined when it gives none. Throws `DerError`. */
export function subjectKeyIdentifierOf(certificate: Certificate): Uint8Array | undefined {
  const value = extensionOf(certificate, EXTENSION.subjectKeyIdentifier)?.value;
  return value === undefined ? undefined : expectTag(readDer(value), TAG.octetString).content;
}

/** Every URI among the subject's alternative names. Throws `DerError`. */
export function uriNamesOf(certificate: Certificate): string[] {
  const value = extensionOf(certificate, EXTENSION.subjectAltName)?.value;
  if (value === undefined) return [];
  return derChildren(expectTag(readDer(value), TAG.sequence).content)
    .filter(({ tag }) => tag === URI_NAME)
    .map(({ content }) => Buffer.from(content).toString("latin1"));
}

export interface BasicConstraints {
  readonly ca: boolean;
  /** Most intermediate authorities below it; undefined for any number. */
  readonly pathLength?: number;
}

/** RFC 5280 §4.2.1.9; an absent extension is no authority. Throws `DerError`. */
export function basicConstraintsOf(certificate: Certificate): BasicConstraints {
  const value = extensionOf(certificate, EXTENSION.basicConstraints)?.value;
  if (value === undefined) return { ca: false };
  const [ca, pathLength, ...rest] = derChildren(expectTag(readDer(value), TAG.sequence).content);
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
  readonly keyCertSign: boolean;
  readonly crlSign: boolean;
}

/** Undefined for a certificate that does not say. Throws `DerError`. */
export function keyUsageOf(certificate: Certificate): KeyUsage | undefined {
  const value = extensionOf(certificate, EXTENSION.keyUsage)?.value;
  if (value === undefined) return undefined;
  const [unusedBits = 8, first = 0] = expectTag(readDer(value), TAG.bitString).content;
  if (unusedBits > 7) throw new DerError("the key usage is malformed");
  return {
    digitalSignature: (first & DIGITAL_SIGNATURE) !== 0,
    keyCertSign: (first & KEY_CERT_SIGN) !== 0,
    crlSign: (first & CRL_SIGN) !== 0,
  };
}

/** What `x509-validation.ts` reads, and extKeyUsage, which restricts no use that an SVID is put to. */
const UNDERSTOOD: ReadonlySet<string> = new Set(
  [EXTENSION.keyUsage, EXTENSION.subjectAltName, EXTENSION.basicConstraints, EXTENSION.extKeyUsage].map(
    hexOf,
  ),
);

/** Whether every critical extension is understood here; name constraints are not (RFC 5280 §4.2). */
export function understandsCriticalExtensions({ extensions }: Certificate): boolean {
  return [...extensions].every(([id, { critical }]) => !critical || UNDERSTOOD.has(id));
}

function isTrue({ tag, content }: DerElement): boolean {
  return tag === TAG.boolean && content.length === 1 && content[0] === 0xff;
}
