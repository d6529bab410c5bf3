import type { KeyObject } from "node:crypto";
import { DerError, derChildren, expectTag, readDer, TAG, wholeBytes } from "../der/reader.ts";
import { VouchsafeError } from "../errors.ts";
import { readPublicKey } from "../x509/public-keys.ts";
import { verifyX509Signature } from "../x509/signatures.ts";

/** All that is taken from a certificate signing request: the key whose holder made it. */
export interface RequestedKey {
  readonly publicKey: KeyObject;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
}

/** An RSA key of 4096 bits makes one of about 1.1 KB. */
const MAX_BYTES = 4096;
// Elements with their tag, in hex.
const VERSION_1 = "020100";
const EMPTY_NAME = "3000";
const NO_ATTRIBUTES = "a000";

/**
 * Reads a PKCS #10 request (RFC 2986 §4) that asks for nothing but a certificate of its key: the subject is
 * empty and there are no attributes, hence no names or usages asked for, because none would be granted. The
 * signature proves that whoever made it holds the key.
 *
 * Throws `VouchsafeError` (`invalid-csr`).
 */
export function parseCsr(der: Uint8Array): RequestedKey {
  if (der.length > MAX_BYTES) throw invalid(`it is larger than ${MAX_BYTES} bytes`);
  try {
    const [first, algorithm, signature, ...rest] = derChildren(expectTag(readDer(der), TAG.sequence).content);
    const info = expectTag(first, TAG.sequence);
    const [version, subject, spki, attributes, ...more] = derChildren(info.content);
    if (rest.length > 0 || more.length > 0) throw invalid("it has members that no request has");
    if (version?.hex !== VERSION_1) throw invalid("its version is not 1");
    if (subject?.hex !== EMPTY_NAME) throw invalid("it asks for a subject");
    if (attributes?.hex !== NO_ATTRIBUTES) throw invalid("it has attributes, or no list of them");
    const { encoded } = expectTag(spki, TAG.sequence);
    const publicKey = readPublicKey(encoded);
    const proof = wholeBytes(expectTag(signature, TAG.bitString));
    if (!verifyX509Signature(publicKey, expectTag(algorithm, TAG.sequence).encoded, info.encoded, proof)) {
      throw invalid("its signature is not of its key");
    }
    return { publicKey, spki: encoded };
  } catch (error) {
    if (error instanceof DerError) throw invalid(error.message, error);
    throw error;
  }
}

function invalid(what: string, cause?: unknown): VouchsafeError {
  const options = cause === undefined ? {} : { cause };
  return new VouchsafeError("invalid-csr", `the certificate signing request is refused: ${what}`, options);
}
