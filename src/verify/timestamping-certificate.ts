import { hexOf } from "../der/reader.ts";
import { type Certificate, extensionOf } from "../x509/certificate.ts";
import {
  authorityKeyIdentifierOf,
  basicConstraintsOf,
  extendedKeyUsagesOf,
  keyUsageOf,
  subjectKeyIdentifierOf,
} from "../x509/extensions.ts";
import { EXTENSION, TIME_STAMPING } from "../x509/oids.ts";

/** Critical extensions whose meaning is heeded here. */
const HEEDED: ReadonlySet<string> = new Set(
  [EXTENSION.basicConstraints, EXTENSION.keyUsage, EXTENSION.extKeyUsage].map(hexOf),
);

const TIME_STAMPING_HEX = hexOf(TIME_STAMPING);

/** RFC 3161 §2.3: an end entity whose extended key usage is critical and timestamping alone. Throws `DerError`. */
export function isForTimestamps(certificate: Certificate): boolean {
  const [usage, ...others] = extendedKeyUsagesOf(certificate) ?? [];
  const keyUsage = keyUsageOf(certificate);
  return (
    usage === TIME_STAMPING_HEX &&
    others.length === 0 &&
    extensionOf(certificate, EXTENSION.extKeyUsage)?.critical === true &&
    (keyUsage === undefined || keyUsage.digitalSignature || keyUsage.contentCommitment) &&
    !basicConstraintsOf(certificate).ca &&
    Array.from(certificate.extensions).every(([id, { critical }]) => !critical || HEEDED.has(id))
  );
}

/**
 * Whether the certificate names this authority as its issuer; of authorities of one name, the one with this key.
 * What the authority may issue was found out when it became trusted. Throws `DerError`.
 */
export function namesAsIssuer(certificate: Certificate, authority: Certificate): boolean {
  const named = authorityKeyIdentifierOf(certificate);
  const own = subjectKeyIdentifierOf(authority);
  return (
    Buffer.compare(certificate.issuer, authority.subject) === 0 &&
    (named === undefined || own === undefined || Buffer.compare(named, own) === 0)
  );
}
