import { hash, type KeyObject, sign } from "node:crypto";
import { octetString } from "../../src/der/writer.ts";
import type { LogAuthority } from "../../src/trust/sigstore-instance.ts";
import { ALWAYS } from "../../src/trust/time-range.ts";
import { parseCertificate } from "../../src/x509/certificate.ts";
import { EXTENSION } from "../../src/x509/oids.ts";
import {
  type CertificateOptions,
  extension,
  type Holder,
  issueCertificate,
  type KeyPair,
  newKeys,
} from "./issued-certificates.ts";

/** A certificate-transparency log: its key, and how it signs. */
export interface CtLog {
  readonly authority: LogAuthority;
  readonly key: KeyObject;
  /** SignatureAndHashAlgorithm. */
  readonly algorithm: number;
}

/** What an SCT differs in from one that is taken. */
export interface SctChanges {
  readonly version?: number;
  /** Milliseconds since the epoch. */
  readonly time?: bigint;
  /** CtExtensions, without their length. */
  readonly extensions?: Buffer;
  readonly algorithm?: number;
  /** After the signature. */
  readonly trailing?: Buffer;
  /** Instead of the issuer whose key is hashed. */
  readonly issuer?: Holder;
}

export const LOGGED_AT = Date.UTC(2024, 1, 29, 12);

export function ctLog(keys: KeyPair = newKeys(), algorithm = 0x0403): CtLog {
  const spki = keys.publicKey.export({ format: "der", type: "spki" });
  const logId = hash("sha256", spki, "hex");
  return {
    authority: { logId, operator: logId, publicKey: keys.publicKey, spki, validFor: ALWAYS },
    key: keys.privateKey,
    algorithm,
  };
}

/** The SCT that a log gives to the certificate which these options make (RFC 6962 §3.2). */
export function sctOf(
  log: CtLog,
  options: CertificateOptions & { issuer: Holder },
  changes: SctChanges = {},
): Buffer {
  const { extensions = Buffer.alloc(0), algorithm = log.algorithm, time = BigInt(LOGGED_AT) } = changes;
  const precertificate = parseCertificate(issueCertificate(options).certificate).signed;
  const { spki } = parseCertificate((changes.issuer ?? options.issuer).certificate);
  const head = Buffer.concat([Buffer.of(changes.version ?? 0), Buffer.from(log.authority.logId, "hex")]);
  const when = Buffer.alloc(8);
  when.writeBigUInt64BE(time);
  const signed = Buffer.concat([
    Buffer.of(0, 0),
    when,
    Buffer.of(0, 1),
    hash("sha256", spki, "buffer"),
    Buffer.of(0),
    vector(Buffer.from(precertificate)),
    vector(extensions),
  ]);
  const signature = vector(sign("sha256", signed, log.key));
  return Buffer.concat([
    head,
    when,
    vector(extensions),
    Buffer.of(algorithm >> 8, algorithm & 0xff),
    signature,
    changes.trailing ?? Buffer.alloc(0),
  ]);
}

/** The extension that holds a SignedCertificateTimestampList of these. */
export function sctExtension(...scts: readonly Buffer[]): Buffer {
  return listExtension(vector(...scts.map((sct) => vector(sct))));
}

export function listExtension(list: Buffer): Buffer {
  return extension(EXTENSION.signedCertificateTimestamps, octetString(list));
}

/** An opaque vector with a length of two bytes. */
export function vector(...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(content.length);
  return Buffer.concat([length, content]);
}
