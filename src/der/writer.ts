import { TAG } from "./reader.ts";

/** One DER element (X.690 §8.1) of a one-byte tag, its content given in parts. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  return Buffer.concat([derHeader(tag, length), ...parts]);
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(TAG.sequence, ...parts);
}

/** A whole number of no sign, its bytes most significant first. */
export function unsigned(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  if (start === -1) return der(TAG.integer, Buffer.of(0));
  const magnitude = bytes.subarray(start);
  return (magnitude[0] ?? 0) < 0x80 ? der(TAG.integer, magnitude) : der(TAG.integer, Buffer.of(0), magnitude);
}

/** A BIT STRING of whole bytes. */
export function bitString(bytes: Uint8Array): Buffer {
  return der(TAG.bitString, Buffer.of(0), bytes);
}

export function octetString(bytes: Uint8Array): Buffer {
  return der(TAG.octetString, bytes);
}

export function utf8String(text: string): Buffer {
  return der(TAG.utf8String, Buffer.from(text));
}

/** An OBJECT IDENTIFIER from its dotted form, whose arcs may have any size. */
export function oid(dotted: string): Buffer {
  const [first = 0n, second = 0n, ...rest] = dotted.split(".").map(BigInt);
  return der(TAG.oid, Buffer.from([first * 40n + second, ...rest].flatMap(base128)));
}

function base128(arc: bigint): number[] {
  const bytes = [Number(arc & 0x7fn)];
  for (let left = arc >> 7n; left > 0n; left >>= 7n) bytes.unshift(Number(left & 0x7fn) | 0x80);
  return bytes;
}

function derHeader(tag: number, length: number): Buffer {
  if (length < 0x80) return Buffer.of(tag, length);
  if (length < 0x100) return Buffer.of(tag, 0x81, length);
  if (length < 0x10000) return Buffer.of(tag, 0x82, length >> 8, length & 0xff);
  return Buffer.of(tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff);
}
