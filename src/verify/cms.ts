import { type DerElement, DerError, derChildren, expectTag, hexOf, readDer, TAG } from "../der/reader.ts";
import { oid } from "../der/writer.ts";
import type { Certificate } from "../x509/certificate.ts";
import { subjectKeyIdentifierOf } from "../x509/extensions.ts";
import { type CmsHash, readDigestAlgorithm } from "./cms-algorithms.ts";

/** SignedData with one signer and signed attributes (RFC 5652 §5.1), as read; nothing of it is believed yet. */
export interface SignedData {
  /** eContentType: hex of the OID's DER. */
  readonly contentType: string;
  /** What the eContent holds. */
  readonly content: Uint8Array;
  /** DER, each a SEQUENCE. Nothing signs this list: it only helps to find the signer's. */
  readonly certificates: readonly Uint8Array[];
  readonly signer: SignerInfo;
}

export interface SignerInfo {
  /** SignerIdentifier. */
  readonly identifier: DerElement;
  /** Of the content and of the attributes. */
  readonly hash: CmsHash;
  /** Type (hex of the OID's DER) → its SET OF values. */
  readonly attributes: ReadonlyMap<string, DerElement>;
  /** What the signature is over. */
  readonly signed: Uint8Array;
  /** AlgorithmIdentifier, DER. */
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
}

const SIGNED_DATA = hexOf(oid("1.2.840.113549.1.7.2"));

const IMPLICIT_0 = 0xa0;
const IMPLICIT_1 = 0xa1;
const SUBJECT_KEY_IDENTIFIER = 0x80;

/** SignedData of a content other than id-data, with certificates and revocation lists of X.509 alone. */
const VERSION_3 = "020103";

/** SignerInfo's version by the tag of its SignerIdentifier (RFC 5652 §5.3). */
const SIGNER_VERSIONS: ReadonlyMap<number, string> = new Map([
  [TAG.sequence, "020101"],
  [SUBJECT_KEY_IDENTIFIER, "020103"],
]);

/**
 * Reads a ContentInfo that holds SignedData. CMS allows BER; only DER is taken, which every timestamp must be in,
 * except that the members of a SET may stand in any order: the attributes are signed in the order that they have.
 *
 * Throws `DerError`.
 */
export function readSignedData(contentInfo: DerElement): SignedData {
  const [type, explicit, ...others] = derChildren(expectTag(contentInfo, TAG.sequence).content);
  if (hexOf(expectTag(type, TAG.oid).encoded) !== SIGNED_DATA) throw new DerError("it is not SignedData");
  const signedData = expectTag(readDer(expectTag(explicit, IMPLICIT_0).content), TAG.sequence);
  const [version, digestAlgorithms, encapsulated, ...rest] = derChildren(signedData.content);
  if (others.length > 0 || version === undefined || hexOf(version.encoded) !== VERSION_3) {
    throw new DerError("it is not SignedData of version 3");
  }
  expectTag(digestAlgorithms, TAG.set);
  const [contentType, content, ...more] = derChildren(expectTag(encapsulated, TAG.sequence).content);
  const certificates = takeIf(rest, IMPLICIT_0);
  takeIf(rest, IMPLICIT_1); // Revocation lists, which nothing signs.
  const [signer, ...signers] = derChildren(expectTag(rest.shift(), TAG.set).content);
  if (more.length > 0 || rest.length > 0) throw new DerError("the SignedData has too many members");
  if (signers.length > 0) throw new DerError("it has several signers");
  return {
    contentType: hexOf(expectTag(contentType, TAG.oid).encoded),
    content: expectTag(readDer(expectTag(content, IMPLICIT_0).content), TAG.octetString).content,
    certificates: derChildren(certificates?.content ?? new Uint8Array()).map(
      (certificate) => expectTag(certificate, TAG.sequence).encoded,
    ),
    signer: readSignerInfo(expectTag(signer, TAG.sequence)),
  };
}

function readSignerInfo({ content }: DerElement): SignerInfo {
  const [version, identifier, digestAlgorithm, attributes, signatureAlgorithm, signature, ...rest] =
    derChildren(content);
  if (version === undefined || identifier === undefined) throw new DerError("the signer is cut off");
  if (SIGNER_VERSIONS.get(identifier.tag) !== hexOf(version.encoded)) {
    throw new DerError("the signer's version does not fit its identifier");
  }
  const signed = Buffer.from(expectTag(attributes, IMPLICIT_0).encoded);
  // RFC 5652 §5.4: the signature is over the SET OF itself, whose tag the implicit one stands for.
  signed[0] = TAG.set;
  takeIf(rest, IMPLICIT_1); // Unsigned attributes, which say nothing.
  if (rest.length > 0) throw new DerError("the signer has too many members");
  return {
    identifier,
    hash: readDigestAlgorithm(expectTag(digestAlgorithm, TAG.sequence)),
    attributes: readAttributes(readDer(signed)),
    signed,
    signatureAlgorithm: expectTag(signatureAlgorithm, TAG.sequence).encoded,
    signature: expectTag(signature, TAG.octetString).content,
  };
}

function readAttributes({ content }: DerElement): ReadonlyMap<string, DerElement> {
  const attributes = new Map<string, DerElement>();
  for (const attribute of derChildren(content)) {
    const [type, values, ...rest] = derChildren(expectTag(attribute, TAG.sequence).content);
    const name = hexOf(expectTag(type, TAG.oid).encoded);
    if (rest.length > 0 || attributes.has(name)) throw new DerError("a signed attribute is there twice");
    attributes.set(name, expectTag(values, TAG.set));
  }
  return attributes;
}

/** The one value of a signed attribute; undefined where the attribute is absent. Throws `DerError` for several. */
export function attributeOf({ attributes }: SignerInfo, type: string): DerElement | undefined {
  const values = attributes.get(type);
  if (values === undefined) return undefined;
  return readDer(values.content);
}

/** Whether the signer is identified by this certificate's issuer and serial number, or by its key identifier. */
export function identifies({ identifier }: SignerInfo, certificate: Certificate): boolean {
  if (identifier.tag === SUBJECT_KEY_IDENTIFIER) {
    const keyIdentifier = subjectKeyIdentifierOf(certificate);
    return keyIdentifier !== undefined && Buffer.compare(keyIdentifier, identifier.content) === 0;
  }
  const [issuer, serial, ...rest] = derChildren(identifier.content);
  return (
    rest.length === 0 &&
    Buffer.compare(expectTag(issuer, TAG.sequence).encoded, certificate.issuer) === 0 &&
    hexOf(expectTag(serial, TAG.integer).content) === certificate.serial
  );
}

/** Takes the first element off the list if it has this tag. */
function takeIf(elements: DerElement[], tag: number): DerElement | undefined {
  return elements[0]?.tag === tag ? elements.shift() : undefined;
}
