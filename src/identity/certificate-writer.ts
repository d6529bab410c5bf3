import { TAG } from "../der/reader.ts";
import { bitString, der, octetString, sequence, unsigned } from "../der/writer.ts";
import type { X509Signer } from "./x509-signatures.ts";

/** A certificate before it is signed. */
export interface CertificateContent {
  /** Most significant byte first, taken as having no sign. */
  readonly serial: Uint8Array;
  /** Name, DER. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Milliseconds since the epoch, written in whole seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** Each by `extension` or `criticalExtension`. */
  readonly extensions: readonly Uint8Array[];
}

const VERSION_3 = der(0xa0, unsigned(Buffer.of(2)));
const TRUE = der(TAG.boolean, Buffer.of(0xff));

/** An X.509 v3 certificate (RFC 5280 §4.1), DER. */
export function writeCertificate(content: CertificateContent, signer: X509Signer): Buffer {
  const tbs = sequence(
    VERSION_3,
    unsigned(content.serial),
    signer.algorithm,
    content.issuer,
    sequence(time(content.notBefore), time(content.notAfter)),
    content.subject,
    content.spki,
    der(0xa3, sequence(...content.extensions)),
  );
  return sequence(tbs, signer.algorithm, bitString(signer.sign(tbs)));
}

/** An extension (RFC 5280 §4.2) of this OID (DER); `value` is the DER that its OCTET STRING wraps. */
export function extension(id: Uint8Array, value: Uint8Array): Buffer {
  return sequence(id, octetString(value));
}

export function criticalExtension(id: Uint8Array, value: Uint8Array): Buffer {
  return sequence(id, TRUE, octetString(value));
}

/** UTCTime until 2049 and GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5). */
function time(at: number): Buffer {
  const digits = new Date(at)
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:T]/g, "");
  return digits < "2050"
    ? der(TAG.utcTime, Buffer.from(digits.slice(2)))
    : der(TAG.generalizedTime, Buffer.from(digits));
}
