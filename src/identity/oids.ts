import { oid } from "../der/writer.ts";

/** Extensions of certificates (RFC 5280 §4.2.1), as DER. */
export const EXTENSION = {
  subjectKeyIdentifier: oid("2.5.29.14"),
  keyUsage: oid("2.5.29.15"),
  subjectAltName: oid("2.5.29.17"),
  basicConstraints: oid("2.5.29.19"),
  authorityKeyIdentifier: oid("2.5.29.35"),
  extKeyUsage: oid("2.5.29.37"),
  /**
   * What an SVID was granted for (docs/svid.md). Made of the UUID 7746f1f8-5100-45fd-a1c8-3305a1544b06 in the way
   * that needs no registration and keeps every arc small: Go's X.509 parser refuses a certificate with an arc over
   * 31 bits, as a UUID's own below 2.25 is.
   */
  grounds: oid("1.2.840.113556.1.8000.2554.30534.61944.20736.17917.41416.3343777.5524230"),
} as const;

/** id-kp-serverAuth and id-kp-clientAuth (RFC 5280 §4.2.1.12). */
export const SERVER_AUTH = oid("1.3.6.1.5.5.7.3.1");
export const CLIENT_AUTH = oid("1.3.6.1.5.5.7.3.2");

/** Attribute types of names (X.520). */
export const COMMON_NAME = oid("2.5.4.3");
export const ORGANIZATION = oid("2.5.4.10");
