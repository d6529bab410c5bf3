import { TAG } from "../der/reader.ts";
import { bitString, der, octetString, sequence, unsigned } from "../der/writer.ts";
import type { X509Signer } from "../x509/signatures.ts";

/** A certificate before it is signed. */
export interface CertificateContent {
  /** Most significant byte first, taken as having no sign. */
  readonly serial: Uint8Array;
  /** Name, DER. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Each by `time`. */
  readonly notBefore: Uint8Array;
  readonly notAfter: Uint8Array;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** Each by `extension` or `criticalExtension`. */
  readonly extensions: readonly Uint8Array[];
}

const VERSION_3 = der(0xa0, unsigned(Buffer.of(2)));
const TRUE = der(TAG.boolean, Buffer.of(0xff));
const [ZERO, ZULU] = [0x30, 0x5a];

/** An X.509 v3 certificate (RFC 5280 §4.1), DER. */
export function writeCertificate(content: CertificateContent, signer: X509Signer): Buffer {
  const unsigned = writeUnsigned(content, signer.algorithm);
  return signedCertificate(unsigned, signer.algorithm, signer.sign(unsigned));
}

/** The TBSCertificate: all of a certificate that is signed. */
export function writeUnsigned(content: CertificateContent, algorithm: Uint8Array): Buffer {
  return sequence(
    VERSION_3,
    unsigned(content.serial),
    algorithm,
    content.issuer,
    sequence(content.notBefore, content.notAfter),
    content.subject,
    content.spki,
    der(0xa3, sequence(...content.extensions)),
  );
}

export function signedCertificate(
  unsigned: Uint8Array,
  algorithm: Uint8Array,
  signature: Uint8Array,
): Buffer {
  return sequence(unsigned, algorithm, bitString(signature));
}

/** An extension (RFC 5280 §4.2) of this OID (DER); `value` is the DER that its OCTET STRING wraps. */
export function extension(id: Uint8Array, value: Uint8Array): Buffer {
  return sequence(id, octetString(value));
}

export function criticalExtension(id: Uint8Array, value: Uint8Array): Buffer {
  return sequence(id, TRUE, octetString(value));
}

/**
 * UTCTime until 2049 and GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5), of milliseconds since the epoch, in whole
 * seconds.
 */
export function time(at: number): Buffer {
  const date = new Date(at);
  const year = date.getUTCFullYear();
  const isLate = year >= 2050;
  const element = Buffer.allocUnsafe(isLate ? 17 : 15);
  element[0] = isLate ? TAG.generalizedTime : TAG.utcTime;
  element[1] = element.length - 2;
  // By hand: each certificate has two, and a text of a date takes longer than all else about them.
  if (isLate) writeTwoDigits(element, 2, Math.floor(year / 100));
  const from = element.length - 13;
  writeTwoDigits(element, from, year % 100);
  writeTwoDigits(element, from + 2, date.getUTCMonth() + 1);
  writeTwoDigits(element, from + 4, date.getUTCDate());
  writeTwoDigits(element, from + 6, date.getUTCHours());
  writeTwoDigits(element, from + 8, date.getUTCMinutes());
  writeTwoDigits(element, from + 10, date.getUTCSeconds());
  element[from + 12] = ZULU;
  return element;
}

function writeTwoDigits(element: Buffer, at: number, value: number): void {
  element[at] = ZERO + Math.floor(value / 10);
  element[at + 1] = ZERO + (value % 10);
}
