import { hash } from "node:crypto";
import { hexOf, TAG } from "../der/reader.ts";
import { der, octetString, sequence } from "../der/writer.ts";
import type { Certificate } from "../x509/certificate.ts";
import { CRL_SIGN, DIGITAL_SIGNATURE, KEY_CERT_SIGN, KEY_IDENTIFIER, URI_NAME } from "../x509/extensions.ts";
import { CLIENT_AUTH, EXTENSION, SERVER_AUTH } from "../x509/oids.ts";
import { subjectPublicKeyOf } from "../x509/public-keys.ts";
import { criticalExtension, extension } from "./certificate-writer.ts";

// What SPIFFE asks of certificates' extensions (X509-SVID.md §4), as they are written.

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
