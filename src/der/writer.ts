import { TAG } from "./reader.ts";

/** One DER element (X.690 §8.1) of a one-byte tag, its content given in parts. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const lengthBytes = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
  let at = 2 + lengthBytes;
  const element = Buffer.allocUnsafe(at + length);
  element[0] = tag;
  element[1] = lengthBytes === 0 ? length : 0x80 | lengthBytes;
  if (lengthBytes > 0) element.writeUIntBE(length, 2, lengthBytes);
  // By hand, because Buffer.concat takes most of the time that a certificate takes to write.
  for (const part of parts) {
    element.set(part, at);
    at += part.length;
  }
  return element;
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(TAG.sequence, ...parts);
}

const ZERO = Buffer.of(0);

/** A whole number of no sign, its bytes most significant first. */
export function unsigned(bytes: Uint8Array): Buffer {
  let start = 0;
  while (bytes[start] === 0) start += 1;
  const magnitude = bytes.subarray(start);
  // Without a zero before it a first bit of one would be a minus sign; the number zero is one zero.
  return (magnitude[0] ?? 0x80) < 0x80 ? der(TAG.integer, magnitude) : der(TAG.integer, ZERO, magnitude);
}

/** An INTEGER of a safe integer that is not negative. */
export function wholeNumber(value: number): Buffer {
  let length = 1;
  // Without a zero before it a first bit of one would be a minus sign.
  for (let left = value; left >= 0x80; left = Math.floor(left / 0x100)) length += 1;
  const element = Buffer.allocUnsafe(2 + length);
  element[0] = TAG.integer;
  element[1] = length;
  let left = value;
  for (let at = 1 + length; at > 1; at -= 1) {
    element[at] = left % 0x100;
    left = Math.floor(left / 0x100);
  }
  return element;
}

/** A BIT STRING of whole bytes. */
export function bitString(bytes: Uint8Array): Buffer {
  return der(TAG.bitString, ZERO, bytes);
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
