import { hash, type KeyObject, sign } from "node:crypto";
import { der, octetString, oid, sequence, unsigned } from "../../src/der/writer.ts";
import { type CertificateAuthority, parseAuthority } from "../../src/trust/authority.ts";
import { ALWAYS, type TimeRange } from "../../src/trust/time-range.ts";
import { parseCertificate } from "../../src/x509/certificate.ts";
import { ECDSA_WITH_SHA256, type Holder } from "./issued-certificates.ts";

export const SHA256 = sequence(oid("2.16.840.1.101.3.4.2.1"));
export const SHA384 = sequence(oid("2.16.840.1.101.3.4.2.2"));
export const SHA512 = sequence(oid("2.16.840.1.101.3.4.2.3"));
export const TST_INFO = oid("1.2.840.113549.1.9.16.1.4");
const SIGNED_DATA = oid("1.2.840.113549.1.7.2");
const CONTENT_TYPE = oid("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST = oid("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE = oid("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_V2 = oid("1.2.840.113549.1.9.16.2.47");

type HashName = "sha256" | "sha384" | "sha512";

/** What a TSTInfo differs in from one that is taken; elements are DER. */
export interface TstInfoChanges {
  readonly version?: number;
  /** GeneralizedTime's text. */
  readonly time?: string;
  readonly imprint?: Buffer;
  /** Members after the time. */
  readonly more?: readonly Buffer[];
}

/** What a response differs in from one that is taken; elements are DER. */
export interface TimestampChanges extends TstInfoChanges {
  readonly status?: Buffer;
  /** Of the ContentInfo. */
  readonly type?: Buffer;
  readonly cmsVersion?: number;
  /** EncapsulatedContentInfo, instead of the one that is signed. */
  readonly encapsulated?: Buffer;
  readonly contentType?: Buffer;
  readonly embedded?: readonly Buffer[];
  readonly signers?: number;
  readonly signerVersion?: number;
  readonly identifier?: Buffer;
  readonly hash?: HashName;
  readonly digestAlgorithm?: Buffer;
  /** Given those that are taken: content-type, message-digest and signing-certificate-v2. */
  readonly attributes?: (taken: readonly Buffer[]) => readonly Buffer[];
  readonly signatureAlgorithm?: Buffer;
  readonly sign?: (bytes: Buffer, key: KeyObject) => Buffer;
  readonly unsigned?: Buffer;
  readonly afterSigners?: Buffer;
  /** After the token. */
  readonly trailing?: Buffer;
}

/** A TimeStampResp over these bytes, as a timestamp authority with a key on P-256 writes it. */
export function timestampResponse(
  signer: Holder,
  stamped: Uint8Array,
  changes: TimestampChanges = {},
): Buffer {
  const {
    hash: hashName = "sha256",
    signers = 1,
    contentType = TST_INFO,
    digestAlgorithm = SHA256,
  } = changes;
  const info = tstInfo(stamped, changes);
  const { attributes = (taken) => taken, sign: signBytes = ecdsaSha256 } = changes;
  const signed = attributes([
    attribute(CONTENT_TYPE, contentType),
    attribute(MESSAGE_DIGEST, octetString(hash(hashName, info, "buffer"))),
    signingCertificate(signer.certificate),
  ]);
  const signerInfo = sequence(
    unsigned(Buffer.of(changes.signerVersion ?? 1)),
    changes.identifier ?? issuerAndSerial(signer.certificate),
    digestAlgorithm,
    der(0xa0, ...signed),
    changes.signatureAlgorithm ?? ECDSA_WITH_SHA256,
    octetString(signBytes(der(0x31, ...signed), signer.key)),
    ...(changes.unsigned === undefined ? [] : [changes.unsigned]),
  );
  const signedData = sequence(
    unsigned(Buffer.of(changes.cmsVersion ?? 3)),
    der(0x31, digestAlgorithm),
    changes.encapsulated ?? sequence(contentType, der(0xa0, octetString(info))),
    ...(changes.embedded === undefined ? [] : [der(0xa0, ...changes.embedded)]),
    der(0x31, ...Array<Buffer>(signers).fill(signerInfo)),
    ...(changes.afterSigners === undefined ? [] : [changes.afterSigners]),
  );
  return sequence(
    changes.status ?? sequence(unsigned(Buffer.of(0))),
    sequence(changes.type ?? SIGNED_DATA, der(0xa0, signedData)),
    ...(changes.trailing === undefined ? [] : [changes.trailing]),
  );
}

export function tstInfo(stamped: Uint8Array, changes: TstInfoChanges = {}): Buffer {
  return sequence(
    unsigned(Buffer.of(changes.version ?? 1)),
    oid("1.2.3.4.1"),
    changes.imprint ?? imprint(SHA256, hash("sha256", stamped, "buffer")),
    unsigned(Buffer.from("0102030405060708090a", "hex")),
    der(0x18, Buffer.from(changes.time ?? "20240229120000Z")),
    ...(changes.more ?? []),
  );
}

export function imprint(algorithm: Buffer, digest: Buffer): Buffer {
  return sequence(algorithm, octetString(digest));
}

export function attribute(type: Buffer, ...values: readonly Buffer[]): Buffer {
  return sequence(type, der(0x31, ...values));
}

/** signing-certificate-v2 with the default hash, or another hash and its AlgorithmIdentifier (RFC 5035 §4). */
export function signingCertificate(certificate: Buffer, hashName = "sha256", algorithm?: Buffer): Buffer {
  const digest = octetString(hash(hashName, certificate, "buffer"));
  const id = sequence(...(algorithm === undefined ? [] : [algorithm]), digest);
  return attribute(SIGNING_CERTIFICATE_V2, sequence(sequence(id)));
}

/** The older signing-certificate, which knows SHA-1 alone (RFC 2634 §5.4). */
export function oldSigningCertificate(certificate: Buffer): Buffer {
  const id = sequence(octetString(hash("sha1", certificate, "buffer")));
  return attribute(SIGNING_CERTIFICATE, sequence(sequence(id)));
}

export function issuerAndSerial(certificate: Buffer): Buffer {
  const { issuer, serial } = parseCertificate(certificate);
  return sequence(issuer, unsigned(Buffer.from(serial, "hex")));
}

/** A trusted timestamp authority of these certificates. */
export function timestampAuthority(
  certificates: readonly Buffer[],
  validFor: TimeRange = ALWAYS,
): CertificateAuthority {
  return parseAuthority(certificates, "timestamps", validFor, "timestampAuthorities[0]");
}

function ecdsaSha256(bytes: Buffer, key: KeyObject): Buffer {
  return sign("sha256", bytes, key);
}
