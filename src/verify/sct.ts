import type { KeyObject } from "node:crypto";
import { DerError, expectTag, hexOf, readDer, TAG } from "../der/reader.ts";
import { der, sequence } from "../der/writer.ts";
import { VouchsafeError } from "../errors.ts";
import { hashBytes } from "../in-toto-attestation/digest.ts";
import type { LogAuthority } from "../trust/sigstore-instance.ts";
import { covers } from "../trust/time-range.ts";
import { type Certificate, extensionOf } from "../x509/certificate.ts";
import { EXTENSION } from "../x509/oids.ts";
import { readSctList, type SignedCertificateTimestamp } from "./sct-list.ts";
import type { Claim, Scheme } from "./signature-check.ts";
import { SignedBytes } from "./signed.ts";

/** A log's promise to include the certificate, given when it was issued. */
export interface LoggedCertificate {
  /** Log id, lower-case hex. */
  readonly log: string;
  /** Who runs the log: thresholds count what has one operator once. */
  readonly operator: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/**
 * Reads the SCTs that are embedded in a certificate (RFC 6962 §3.3): each holds if its signature does. Those of
 * logs that are not known, or not at that time, are passed over: they count for nothing.
 *
 * Throws `VouchsafeError` (`certificate-invalid`) for a list that is malformed.
 */
export function readScts(
  leaf: Certificate,
  issuer: Certificate,
  ctLogs: readonly LogAuthority[],
): Claim<LoggedCertificate>[] {
  const extension = extensionOf(leaf, EXTENSION.signedCertificateTimestamps);
  if (extension === undefined) return [];
  try {
    const scts = readSctList(expectTag(extension.element(), TAG.octetString).content);
    const entry = precertEntry(leaf, issuer);
    return scts.flatMap((sct) => claimOf(sct, entry, ctLogs) ?? []);
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause;
    throw new VouchsafeError("certificate-invalid", `the certificate's SCTs are refused: ${cause.message}`, {
      cause,
    });
  }
}

function claimOf(
  sct: SignedCertificateTimestamp,
  entry: Uint8Array,
  ctLogs: readonly LogAuthority[],
): Claim<LoggedCertificate> | undefined {
  const log = ctLogs.find(({ logId, validFor }) => logId === sct.logId && covers(validFor, sct.time));
  const scheme = log && schemeOf(log.publicKey, sct.signatureAlgorithm);
  if (log === undefined || scheme === undefined) return undefined;
  const signed = new SignedBytes(signedBytes(sct, entry));
  return {
    checks: [{ key: log.publicKey, scheme, signed, signature: sct.signature }],
    found: { log: log.logId, operator: log.operator, time: sct.time },
  };
}

/** SignatureAndHashAlgorithm (RFC 5246 §7.4.1.4.1) → kind of key and scheme: the two of RFC 6962 §2.1.4. */
const SCHEMES: ReadonlyMap<number, readonly [keyType: string, Scheme]> = new Map([
  [0x0403, ["ec", { hash: "sha256" }]],
  [0x0401, ["rsa", { hash: "sha256", padding: "pkcs1" }]],
]);

function schemeOf(key: KeyObject, algorithm: number): Scheme | undefined {
  const [keyType, scheme] = SCHEMES.get(algorithm) ?? [];
  return keyType === key.asymmetricKeyType ? scheme : undefined;
}

/** What a log signs (RFC 6962 §3.2): version 1, certificate_timestamp, the time, the entry and the extensions. */
function signedBytes({ time, extensions }: SignedCertificateTimestamp, entry: Uint8Array): Uint8Array {
  const head = Buffer.alloc(10);
  head.writeBigUInt64BE(BigInt(time), 2);
  return Buffer.concat([head, entry, extensions]);
}

/**
 * entry_type precert_entry and PreCert (RFC 6962 §3.2): the hash of the issuer's key, and the certificate as it was before its
 * SCTs were put in.
 */
function precertEntry(leaf: Certificate, issuer: Certificate): Uint8Array {
  const tbs = withoutScts(leaf);
  const length = Buffer.alloc(3);
  length.writeUIntBE(tbs.length, 0, 3);
  return Buffer.concat([Buffer.of(0, 1), hashBytes("sha256", issuer.spki), length, tbs]);
}

const EXTENSIONS = 0xa3;
const SCT_LIST = hexOf(EXTENSION.signedCertificateTimestamps);

/** The TBSCertificate, byte for byte, without that one extension; the lengths around it are written anew. */
function withoutScts({ signed, extensions }: Certificate): Uint8Array {
  const certificate = readDer(signed);
  const last = expectTag(certificate.children().at(-1), EXTENSIONS);
  const before = certificate.content.subarray(0, -last.encoded.length);
  const list = readDer(last.content).content;
  const scts = extensions.get(SCT_LIST)?.encoded ?? new Uint8Array(0);
  // Both are views of the one certificate.
  const at = scts.byteOffset - list.byteOffset;
  const kept = sequence(list.subarray(0, at), list.subarray(at + scts.length));
  return sequence(before, der(EXTENSIONS, kept));
}
