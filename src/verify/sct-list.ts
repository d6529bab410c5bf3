import { DerError, hexOf } from "../der/reader.ts";

/** An SCT of version 1 (RFC 6962 §3.2), as read; nothing of it is believed yet. */
export interface SignedCertificateTimestamp {
  /** Lower-case hex. */
  readonly logId: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** CtExtensions with their length, of any content. */
  readonly extensions: Uint8Array;
  /** SignatureAndHashAlgorithm (RFC 5246 §7.4.1.4.1): hash and signature as one number. */
  readonly signatureAlgorithm: number;
  readonly signature: Uint8Array;
}

const MAX_SCTS = 16;
const VERSION_1 = 0;

/** Version, log id and time. */
const HEAD_BYTES = 1 + 32 + 8;

/**
 * Reads a SignedCertificateTimestampList (RFC 6962 §3.3): one SCT to sixteen, in the encoding of TLS. Those of
 * other versions are passed over, which is what each is framed for.
 *
 * Throws `DerError`, as for every other part of a certificate that cannot be read.
 */
export function readSctList(bytes: Uint8Array): SignedCertificateTimestamp[] {
  const list = vectorAt(bytes, 0);
  if (list.end !== bytes.length) throw new DerError("something follows the list");
  const scts: SignedCertificateTimestamp[] = [];
  let count = 0;
  for (let at = 0; at < list.content.length; count += 1) {
    if (count === MAX_SCTS) throw new DerError(`there are more than ${MAX_SCTS}`);
    const { content, end } = vectorAt(list.content, at);
    if (content.length === 0) throw new DerError("one is empty");
    if (content[0] === VERSION_1) scts.push(readSct(content));
    at = end;
  }
  if (count === 0) throw new DerError("the list is empty");
  return scts;
}

function readSct(bytes: Uint8Array): SignedCertificateTimestamp {
  const extensions = vectorAt(bytes, HEAD_BYTES);
  const signature = vectorAt(bytes, extensions.end + 2);
  if (signature.end !== bytes.length) throw new DerError("something follows a signature");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    logId: hexOf(bytes.subarray(1, 33)),
    // A time too large to be exact is in no log's time of validity.
    time: Number(view.getBigUint64(33)),
    extensions: bytes.subarray(HEAD_BYTES, extensions.end),
    signatureAlgorithm: view.getUint16(extensions.end),
    signature: signature.content,
  };
}

/** An opaque vector with a length of two bytes (RFC 8446 §3.4), and where it ends. */
function vectorAt(bytes: Uint8Array, at: number): { content: Uint8Array; end: number } {
  const [high, low] = bytes.subarray(at, at + 2);
  if (high === undefined || low === undefined) throw new DerError("a length is cut off");
  const start = at + 2;
  const end = start + high * 256 + low;
  if (end > bytes.length) throw new DerError("a vector is cut off");
  return { content: bytes.subarray(start, end), end };
}
