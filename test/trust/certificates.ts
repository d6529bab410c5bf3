import type { KeyObject } from "node:crypto";
import { der, sequence, unsigned } from "../../src/der/writer.ts";
import { EXTENSION } from "../../src/x509/oids.ts";
import { writePem } from "../../src/x509/pem.ts";
import { extension, type Holder, issueCertificate } from "../verify/issued-certificates.ts";

export interface AuthorityOptions {
  readonly issuer?: Holder;
  /** Default: true. */
  readonly ca?: boolean;
  readonly pathLength?: number;
  /** First byte of the key usage, by default what it needs; null for none. */
  readonly keyUsage?: number | null;
  /** OIDs, DER. */
  readonly extendedKeyUsages?: readonly Uint8Array[];
  /** Whole extensions besides. */
  readonly more?: readonly Buffer[];
  /** `YYYYMMDDhhmmss` */
  readonly from?: string;
  readonly until?: string;
}

const TRUE = Buffer.of(1, 1, 0xff);
const DIGITAL_SIGNATURE = 0x80;
const CERT_SIGN = 0x04;

/** An authority's certificate with its key, issued by another or by itself. */
export function issue(name: string, options: AuthorityOptions = {}): Holder {
  const { issuer, ca = true, pathLength, from, until, extendedKeyUsages: usages, more = [] } = options;
  const { keyUsage = ca ? CERT_SIGN : DIGITAL_SIGNATURE } = options;
  const constraints = sequence(
    ...(ca ? [TRUE] : []),
    ...(pathLength === undefined ? [] : [unsigned(Buffer.of(pathLength))]),
  );
  const usage = keyUsage === null ? [] : [der(0x03, Buffer.of(0, keyUsage))];
  return issueCertificate({
    name,
    ...(issuer && { issuer }),
    ...(from && { from }),
    ...(until && { until }),
    extensions: [
      extension(EXTENSION.basicConstraints, constraints, true),
      ...usage.map((bits) => extension(EXTENSION.keyUsage, bits, true)),
      ...(usages ? [extension(EXTENSION.extKeyUsage, sequence(...usages))] : []),
      ...more,
    ],
  });
}

export function pemOf(...certificates: readonly Holder[]): string {
  return certificates.map(({ certificate }) => writePem("CERTIFICATE", certificate)).join("");
}

/** Private key, PKCS #8 PEM. */
export function keyPem({ key }: { readonly key: KeyObject }): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
