/** Bytes in Snappy's block format, as one literal: right, and as long as they were. */
export function literalSnappy(bytes: Uint8Array): Buffer {
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) break;
  }
  const size = Buffer.alloc(4);
  size.writeUInt32LE(bytes.length - 1);
  return Buffer.concat([Buffer.from(length), Buffer.from([63 << 2]), size, bytes]);
}
