import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { der, oid, sequence, unsigned, utf8String } from "../../src/der/writer.ts";

/** A PKCS #10 request as it was signed, or tampered with: what differs from one that is taken. */
export interface RequestChanges {
  readonly version?: number;
  /** Name, DER. */
  readonly subject?: Uint8Array;
  readonly spki?: Uint8Array;
  /** The whole `[0]` element; null leaves it out. */
  readonly attributes?: Uint8Array | null;
  readonly algorithm?: Uint8Array;
  readonly hash?: string | null;
  readonly signedBy?: KeyObject;
  /** Members after the attributes. */
  readonly more?: Uint8Array;
  readonly unusedBits?: number;
}

export const ECDSA_WITH_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));
const NO_ATTRIBUTES = der(0xa0);

/** A request of this private key, signed with sha256 unless the changes say otherwise. */
export function signingRequest(key: KeyObject, spki: Uint8Array, changes: RequestChanges = {}): Buffer {
  const { attributes = NO_ATTRIBUTES, algorithm = ECDSA_WITH_SHA256, hash = "sha256" } = changes;
  const info = sequence(
    unsigned(Buffer.of(changes.version ?? 0)),
    changes.subject ?? sequence(),
    changes.spki ?? spki,
    ...(attributes === null ? [] : [attributes]),
    ...(changes.more === undefined ? [] : [changes.more]),
  );
  const signature = sign(hash, info, changes.signedBy ?? key);
  return sequence(info, algorithm, der(0x03, Buffer.of(changes.unusedBits ?? 0), signature));
}

export interface RequestingKey {
  readonly key: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Buffer;
}

export function p256(): RequestingKey {
  return spkiOf(generateKeyPairSync("ec", { namedCurve: "P-256" }));
}

export function spkiOf({
  privateKey,
  publicKey,
}: {
  privateKey: KeyObject;
  publicKey: KeyObject;
}): RequestingKey {
  return { key: privateKey, spki: publicKey.export({ format: "der", type: "spki" }) };
}

/** The attribute in which requests ask for extensions (RFC 2985 §5.4.2). */
export function extensionRequest(...extensions: readonly Uint8Array[]): Buffer {
  const EXTENSION_REQUEST = oid("1.2.840.113549.1.9.14");
  return der(0xa0, sequence(EXTENSION_REQUEST, der(0x31, sequence(...extensions))));
}

/** A Name of one common name. */
export function commonName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid("2.5.4.3"), utf8String(name))));
}
