import type { KeyObject } from "node:crypto";
import { type DerElement, DerError, expectTag, hexOf, readDer, TAG, wholeBytes } from "../der/reader.ts";
import { readUtcDigits } from "../der/time.ts";
import { readPublicKey } from "./public-keys.ts";
import { verifyX509Signature } from "./signatures.ts";

/** An X.509 certificate as read; nothing of it is believed yet. */
export interface Certificate {
  readonly der: Uint8Array;
  /** Lower-case hex of the serial number's bytes. */
  readonly serial: string;
  /** Name, DER. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Milliseconds since the epoch, both inclusive. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  /** Undefined for a key that `readPublicKey` does not take: nothing is ever verified with it. */
  readonly publicKey: KeyObject | undefined;
  /** By the hex of the OID's DER. */
  readonly extensions: ReadonlyMap<string, CertificateExtension>;
  /** What the issuer signed, how, and its signature. */
  readonly signed: Uint8Array;
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
}

export interface CertificateExtension {
  readonly critical: boolean;
  /** Content of the OCTET STRING. */
  readonly value: Uint8Array;
  /** The whole extension, DER. */
  readonly encoded: Uint8Array;
  /** The element that the value is. Throws `DerError`. */
  element(): DerElement;
}

const MAX_BYTES = 16 * 1024;
const VERSION_3 = "a003020102";

/**
 * Reads a certificate (RFC 5280 §4.1). One of version 1 has no extensions, so it is never an authority's nor an
 * SVID: it can stand in a bundle and nothing holds under it. Throws `DerError`.
 */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > MAX_BYTES) throw new DerError(`the certificate is larger than ${MAX_BYTES} bytes`);
  const [first, algorithm, signature, ...rest] = expectTag(readDer(der), TAG.sequence).children();
  const signed = expectTag(first, TAG.sequence);
  const members = signed.children();
  const isVersion3 = members[0] !== undefined && members[0].hex === VERSION_3;
  const [serial, innerAlgorithm, issuer, validity, subject, spki, extensions, ...more] = isVersion3
    ? members.slice(1)
    : members;
  if (rest.length > 0 || more.length > 0 || (extensions !== undefined) !== isVersion3) {
    throw new DerError("the certificate has members that its version does not have");
  }
  const signatureAlgorithm = expectTag(algorithm, TAG.sequence);
  if (expectTag(innerAlgorithm, TAG.sequence).hex !== signatureAlgorithm.hex) {
    throw new DerError("the certificate names two signature algorithms");
  }
  const [notBefore, notAfter, ...times] = expectTag(validity, TAG.sequence).children();
  if (times.length > 0) throw new DerError("the validity has a third time");
  const key = expectTag(spki, TAG.sequence).encoded;
  let publicKey: { readonly read: KeyObject | undefined } | undefined;
  return {
    der,
    serial: hexOf(expectTag(serial, TAG.integer).content),
    issuer: expectTag(issuer, TAG.sequence).encoded,
    subject: expectTag(subject, TAG.sequence).encoded,
    notBefore: readTime(notBefore),
    notAfter: readTime(notAfter),
    spki: key,
    // To import a key takes as long as to read all the rest, and not all who read certificates verify with them.
    get publicKey() {
      publicKey ??= { read: readIfTaken(key) };
      return publicKey.read;
    },
    extensions: extensions === undefined ? new Map() : readExtensions(expectTag(extensions, 0xa3)),
    signed: signed.encoded,
    signatureAlgorithm: signatureAlgorithm.encoded,
    signature: wholeBytes(expectTag(signature, TAG.bitString)),
  };
}

/** Whether this authority issued it: the names chain, and the signature is the authority's. */
export function isIssuedBy(certificate: Certificate, authority: Certificate): boolean {
  return (
    authority.publicKey !== undefined &&
    Buffer.compare(certificate.issuer, authority.subject) === 0 &&
    verifyX509Signature(
      authority.publicKey,
      certificate.signatureAlgorithm,
      certificate.signed,
      certificate.signature,
    )
  );
}

export function extensionOf(certificate: Certificate, id: Uint8Array): CertificateExtension | undefined {
  return certificate.extensions.get(hexOf(id));
}

function readExtensions(tagged: DerElement): ReadonlyMap<string, CertificateExtension> {
  const extensions = new Map<string, CertificateExtension>();
  for (const element of expectTag(tagged.only(), TAG.sequence).children()) {
    const members = expectTag(element, TAG.sequence).children();
    const [id, second, third] = members;
    const value = expectTag(third ?? second, TAG.octetString);
    const critical = third && second;
    // The default, FALSE, is never written in DER.
    if (members.length > 3 || (critical !== undefined && critical.hex !== "0101ff")) {
      throw new DerError("an extension is malformed");
    }
    const name = expectTag(id, TAG.oid).hex;
    if (extensions.has(name)) throw new DerError("an extension is there twice");
    extensions.set(name, new ReadExtension(critical !== undefined, value, element));
  }
  return extensions;
}

/** A certificate has some twenty, of which few are looked at: views of the others are never made. */
class ReadExtension implements CertificateExtension {
  readonly critical: boolean;
  readonly #value: DerElement;
  readonly #whole: DerElement;

  constructor(critical: boolean, value: DerElement, whole: DerElement) {
    this.critical = critical;
    this.#value = value;
    this.#whole = whole;
  }

  get value(): Uint8Array {
    return this.#value.content;
  }

  get encoded(): Uint8Array {
    return this.#whole.encoded;
  }

  element(): DerElement {
    return this.#value.only();
  }
}

function readIfTaken(spki: Uint8Array): KeyObject | undefined {
  try {
    return readPublicKey(spki);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** RFC 5280 §4.1.2.5: whole seconds, UTC. */
function readTime(element: DerElement | undefined): number {
  const digits = element?.latin1 ?? "";
  if (!digits.endsWith("Z")) throw new DerError("a time is not in UTC");
  return readUtcDigits(fourDigitYear(element?.tag, digits.slice(0, -1)));
}

function fourDigitYear(tag: number | undefined, digits: string): string {
  if (tag === TAG.utcTime) return (digits < "50" ? "20" : "19") + digits;
  return tag === TAG.generalizedTime ? digits : "";
}
