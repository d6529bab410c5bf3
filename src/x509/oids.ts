import { oid } from "../der/writer.ts";

/** Extensions of certificates (RFC 5280 §4.2.1, unless another is named), as DER. */
export const EXTENSION = {
  subjectKeyIdentifier: oid("2.5.29.14"),
  keyUsage: oid("2.5.29.15"),
  subjectAltName: oid("2.5.29.17"),
  basicConstraints: oid("2.5.29.19"),
  /** Of revocation lists (RFC 5280 §5.2.3). */
  crlNumber: oid("2.5.29.20"),
  nameConstraints: oid("2.5.29.30"),
  authorityKeyIdentifier: oid("2.5.29.35"),
  extKeyUsage: oid("2.5.29.37"),
  /** SignedCertificateTimestampList (RFC 6962 §3.3). */
  signedCertificateTimestamps: oid("1.3.6.1.4.1.11129.2.4.2"),
} as const;

/** id-kp-serverAuth and id-kp-clientAuth (RFC 5280 §4.2.1.12). */
export const SERVER_AUTH = oid("1.3.6.1.5.5.7.3.1");
export const CLIENT_AUTH = oid("1.3.6.1.5.5.7.3.2");

/** id-kp-codeSigning and id-kp-timeStamping (RFC 5280 §4.2.1.12). */
export const CODE_SIGNING = oid("1.3.6.1.5.5.7.3.3");
export const TIME_STAMPING = oid("1.3.6.1.5.5.7.3.8");

/** anyExtendedKeyUsage (RFC 5280 §4.2.1.12). */
export const ANY_EXTENDED_KEY_USAGE = oid("2.5.29.37.0");

/** Attribute types of names (X.520). */
export const COMMON_NAME = oid("2.5.4.3");
export const ORGANIZATION = oid("2.5.4.10");
