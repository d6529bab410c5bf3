import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { bitString, der, octetString, oid, sequence, unsigned, utf8String } from "../../src/der/writer.ts";
import { parseCertificate } from "../../src/x509/certificate.ts";
import { COMMON_NAME, EXTENSION, TIME_STAMPING } from "../../src/x509/oids.ts";

/** A certificate and its private key. */
export interface Holder {
  /** DER. */
  readonly certificate: Buffer;
  readonly key: KeyObject;
}

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export interface CertificateOptions {
  readonly name: string;
  /** Name, DER, in the place of the one of that common name. */
  readonly subject?: Buffer;
  /** Itself by default. Its key is on P-256. */
  readonly issuer?: Holder;
  /** New ones on P-256 by default. */
  readonly keys?: KeyPair;
  readonly serial?: number;
  /** Extension, DER, each. */
  readonly extensions?: readonly Buffer[];
  /** `YYYYMMDDhhmmss`; the years 2020 to 2040 by default. */
  readonly from?: string;
  readonly until?: string;
}

export const ECDSA_WITH_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));
const TRUE = der(0x01, Buffer.of(0xff));

export function newKeys(namedCurve = "P-256"): KeyPair {
  return generateKeyPairSync("ec", { namedCurve });
}

/** A certificate of version 3, signed by its issuer. */
export function issueCertificate(options: CertificateOptions): Holder {
  const { name, issuer, keys = newKeys(), serial = 7, extensions = [] } = options;
  const { subject = nameOf(name) } = options;
  const tbs = sequence(
    der(0xa0, unsigned(Buffer.of(2))),
    unsigned(Buffer.of(serial)),
    ECDSA_WITH_SHA256,
    issuer === undefined ? subject : Buffer.from(parseCertificate(issuer.certificate).subject),
    sequence(time(options.from ?? "20200101000000"), time(options.until ?? "20400101000000")),
    subject,
    keys.publicKey.export({ format: "der", type: "spki" }),
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
  );
  const signature = sign("sha256", tbs, issuer?.key ?? keys.privateKey);
  return { certificate: sequence(tbs, ECDSA_WITH_SHA256, bitString(signature)), key: keys.privateKey };
}

export function extension(id: Buffer, value: Buffer, isCritical = false): Buffer {
  return sequence(id, ...(isCritical ? [TRUE] : []), octetString(value));
}

export const CA = extension(EXTENSION.basicConstraints, sequence(TRUE), true);
export const FOR_TIMESTAMPS = extension(EXTENSION.extKeyUsage, sequence(TIME_STAMPING), true);

export function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, utf8String(commonName))));
}

function time(digits: string): Buffer {
  return der(0x18, Buffer.from(`${digits}Z`));
}
