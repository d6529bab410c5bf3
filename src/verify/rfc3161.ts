import { hash, type KeyObject } from "node:crypto";
import { type DerElement, DerError, derChildren, expectTag, hexOf, readDer, TAG } from "../der/reader.ts";
import { oid } from "../der/writer.ts";
import { VouchsafeError } from "../errors.ts";
import { hashBytes } from "../in-toto-attestation/digest.ts";
import type { CertificateAuthority } from "../trust/authority.ts";
import { nameOf } from "./certification-path.ts";
import { attributeOf, readSignedData, type SignedData, type SignerInfo } from "./cms.ts";
import { cmsScheme } from "./cms-algorithms.ts";
import { findTimestampSigners } from "./rfc3161-signer.ts";
import { readTstInfo, type TstInfo } from "./rfc3161-tst-info.ts";
import type { Claim, SignatureCheck } from "./signature-check.ts";
import { type Signed, SignedBytes } from "./signed.ts";

/** A time that an authority vouches for: what was stamped existed then. */
export interface FoundTimestamp {
  /** The response that it was read from: one counts once, whoever may have signed it. */
  readonly response: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** What people call the trusted certificate that signed the timestamp or issued its signer's. */
  readonly name: string;
  /** Who runs the authority, else the hash of that certificate: thresholds count what has one operator once. */
  readonly operator: string;
}

/** An id-ct-TSTInfo (RFC 3161 §2.4.2). */
const TST_INFO = hexOf(oid("1.2.840.113549.1.9.16.1.4"));

/** Signed attributes (RFC 5652 §11.1 and §11.2). */
const CONTENT_TYPE = hexOf(oid("1.2.840.113549.1.9.3"));
const MESSAGE_DIGEST = hexOf(oid("1.2.840.113549.1.9.4"));

/** Some authorities' responses hold their whole chain; none that is honest comes near this. */
const MAX_BYTES = 64 * 1024;

/** PKIStatus granted and grantedWithMods (RFC 3161 §2.4.2). */
const GRANTED: ReadonlySet<string> = new Set(["020100", "020101"]);

/**
 * Reads a TimeStampResp (RFC 3161 §2.4.2, DER), which is what Sigstore's bundles hold (sigstore_common.proto,
 * RFC3161SignedTimestamp): that one of the authorities stamped these bytes, and when. A claim for each signer that it may
 * mean, never none: of those that hold the first counts.
 *
 * Throws `VouchsafeError` (`time-unverified`).
 */
export function readTimestamp(
  response: Uint8Array,
  signed: Signed,
  authorities: readonly CertificateAuthority[],
): Claim<FoundTimestamp>[] {
  try {
    if (response.length > MAX_BYTES) throw refused(`it is larger than ${MAX_BYTES} bytes`);
    const token = readSignedData(tokenOf(response));
    const info = tstInfoOf(token);
    assertStamps(info.imprint, signed);
    const claims = findTimestampSigners(token, info.time, authorities).flatMap((one) => {
      const check = tokenCheck(token, one.key);
      if (check === undefined) return [];
      const { authority, operator = hash("sha256", authority.der, "hex") } = one;
      const found = { response, time: info.time, name: nameOf(authority), operator };
      return [{ checks: [...one.checks, check], found }];
    });
    if (claims.length > 0) return claims;
    throw refused("its signature algorithm is not one that fits its signer's key");
  } catch (error) {
    if (error instanceof DerError) throw refused(error.message, error);
    throw error;
  }
}

/** The check that this key signed the token; undefined where it cannot have. */
function tokenCheck({ signer }: SignedData, key: KeyObject): SignatureCheck | undefined {
  const scheme = cmsScheme(key, signer.signatureAlgorithm, signer.hash);
  return scheme && { key, scheme, signed: new SignedBytes(signer.signed), signature: signer.signature };
}

/** The TimeStampToken of a response that grants one. */
function tokenOf(response: Uint8Array): DerElement {
  const [statusInfo, token, ...rest] = derChildren(expectTag(readDer(response), TAG.sequence).content);
  const [status] = derChildren(expectTag(statusInfo, TAG.sequence).content);
  if (!GRANTED.has(hexOf(expectTag(status, TAG.integer).encoded))) throw refused("none was granted");
  if (rest.length > 0) throw new DerError("something follows the token");
  return expectTag(token, TAG.sequence);
}

/** The token's content, which the signed attributes must name and repeat the digest of (RFC 5652 §5.4). */
function tstInfoOf({ contentType, content, signer }: SignedData): TstInfo {
  if (contentType !== TST_INFO || encodingOf(signer, CONTENT_TYPE, TAG.oid) !== TST_INFO) {
    throw refused("what it signs is no timestamp");
  }
  const digest = hashBytes(signer.hash, content);
  const attribute = attributeOf(signer, MESSAGE_DIGEST);
  if (!digest.equals(expectTag(attribute, TAG.octetString).content)) {
    throw refused("its content is not what was signed");
  }
  return readTstInfo(content);
}

function encodingOf(signer: SignerInfo, type: string, tag: number): string {
  return hexOf(expectTag(attributeOf(signer, type), tag).encoded);
}

function assertStamps({ algorithm, digest }: TstInfo["imprint"], signed: Signed): void {
  const stamped = signed.digest(algorithm);
  if (stamped === undefined) throw refused("it stamps a digest by another algorithm");
  if (Buffer.compare(stamped, digest) !== 0) throw refused("it stamps something else");
}

function refused(why: string, cause?: unknown): VouchsafeError {
  const options = cause === undefined ? {} : { cause };
  return new VouchsafeError("time-unverified", `the timestamp is refused: ${why}`, options);
}
