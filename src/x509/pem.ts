import { decodeBase64 } from "../in-toto-attestation/index.ts";

export interface PemBlock {
  /** What stands after BEGIN, e.g. `CERTIFICATE`. */
  readonly label: string;
  readonly bytes: Uint8Array;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\r\n]*)-----END \1-----/g;
const BOUNDARY = "-----";

/**
 * The blocks of a PEM text (RFC 7468), in order; what tools write between them is passed over. Undefined when
 * something looks like a block and is not a whole one.
 */
export function pemBlocks(text: string): PemBlock[] | undefined {
  const blocks: PemBlock[] = [];
  for (const [, label = "", body = ""] of text.matchAll(BLOCK)) {
    const bytes = decodeBase64(body.replace(/[\r\n]/g, ""));
    if (bytes === undefined) return undefined;
    blocks.push({ label, bytes });
  }
  return text.replace(BLOCK, "").includes(BOUNDARY) ? undefined : blocks;
}

export function writePem(label: string, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  let text = `-----BEGIN ${label}-----\n`;
  for (let at = 0; at < base64.length; at += 64) text += `${base64.slice(at, at + 64)}\n`;
  return `${text}-----END ${label}-----\n`;
}
