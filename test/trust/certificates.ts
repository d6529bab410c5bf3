import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { der, sequence, unsigned, utf8String } from "../../src/der/writer.ts";
import {
  criticalExtension,
  extension,
  time,
  writeCertificate,
} from "../../src/identity/certificate-writer.ts";
import { COMMON_NAME, EXTENSION } from "../../src/x509/oids.ts";
import { writePem } from "../../src/x509/pem.ts";
import { x509Signer } from "../../src/x509/signatures.ts";

/** A certificate and its key, so that it can issue others. */
export interface TestCertificate {
  readonly der: Buffer;
  readonly name: string;
  readonly key: KeyObject;
}

export interface CertificateOptions {
  readonly issuer?: TestCertificate;
  /** Default: true. */
  readonly ca?: boolean;
  readonly pathLength?: number;
  /** Milliseconds since the epoch. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** OIDs, DER. */
  readonly extendedKeyUsages?: readonly Uint8Array[];
  /** Whole extensions besides. */
  readonly more?: readonly Uint8Array[];
  /** First byte of the key usage; null for none. */
  readonly keyUsage?: number | null;
  readonly key?: KeyObject;
}

const TRUE = Buffer.of(1, 1, 0xff);
export const CERT_SIGN = 0x04;
let serial = 0;

/** A certificate for P-256, issued by another or by itself. */
export function issue(name: string, options: CertificateOptions = {}): TestCertificate {
  const { issuer, ca = true, keyUsage = ca ? CERT_SIGN : 0x80 } = options;
  const key = options.key ?? generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const signer = x509Signer(issuer?.key ?? key);
  if (signer === undefined) throw new TypeError("the issuer's key cannot sign");
  serial += 1;
  const constraints = [
    ...(ca ? [TRUE] : []),
    ...(options.pathLength === undefined ? [] : [unsigned(Buffer.of(options.pathLength))]),
  ];
  const extensions = [
    criticalExtension(EXTENSION.basicConstraints, sequence(...constraints)),
    ...(keyUsage === null ? [] : [criticalExtension(EXTENSION.keyUsage, der(0x03, Buffer.of(0, keyUsage)))]),
    ...(options.extendedKeyUsages === undefined
      ? []
      : [extension(EXTENSION.extKeyUsage, sequence(...options.extendedKeyUsages))]),
    ...(options.more ?? []),
  ];
  const content = {
    serial: Buffer.of(0x01, serial >> 8, serial & 0xff),
    issuer: nameOf(issuer?.name ?? name),
    notBefore: time(options.notBefore ?? Date.parse("2025-01-01T00:00:00Z")),
    notAfter: time(options.notAfter ?? Date.parse("2035-01-01T00:00:00Z")),
    subject: nameOf(name),
    spki: createPublicKey(key).export({ format: "der", type: "spki" }),
    extensions,
  };
  return { der: writeCertificate(content, signer), name, key };
}

function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, utf8String(commonName))));
}

export function pemOf(...certificates: readonly TestCertificate[]): string {
  return certificates.map((one) => writePem("CERTIFICATE", one.der)).join("");
}
