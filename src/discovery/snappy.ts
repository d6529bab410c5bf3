import { VouchsafeError } from "../errors.ts";

/**
 * Takes apart Snappy's block format (google/snappy format_description.txt), in which GitHub stores bundles: a length, then
 * literals and copies of what came before. No package reads it without trusting the length.
 *
 * @throws VouchsafeError `outbound-failed` for what is not of that format, or longer than `maxBytes`
 */
export function decodeSnappy(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const input = { bytes, at: 0 };
  const length = readVarint(input);
  if (length > maxBytes) throw malformed();
  const output = new Uint8Array(length);
  let end = 0;
  while (input.at < bytes.length) {
    const { case: kind, length: size, offset } = readElement(input);
    if (end + size > length) throw malformed();
    if (kind === "literal") {
      if (input.at + size > bytes.length) throw malformed();
      output.set(bytes.subarray(input.at, input.at + size), end);
      input.at += size;
    } else {
      if (offset === 0 || offset > end) throw malformed();
      // A copy may reach into what it writes itself, which repeats it: so byte by byte.
      for (let i = end; i < end + size; i++) output[i] = output[i - offset] ?? 0;
    }
    end += size;
  }
  if (end !== length) throw malformed();
  return output;
}

interface Input {
  readonly bytes: Uint8Array;
  at: number;
}

type Element = { readonly case: "literal" | "copy"; readonly length: number; readonly offset: number };

function readElement(input: Input): Element {
  const tag = readLittleEndian(input, 1);
  const high = tag >> 2;
  switch (tag & 3) {
    case 0: {
      const length = high < 60 ? high : readLittleEndian(input, high - 59);
      return { case: "literal", length: length + 1, offset: 0 };
    }
    case 1:
      return { case: "copy", length: (high & 7) + 4, offset: ((tag >> 5) << 8) + readLittleEndian(input, 1) };
    case 2:
      return { case: "copy", length: high + 1, offset: readLittleEndian(input, 2) };
    default:
      return { case: "copy", length: high + 1, offset: readLittleEndian(input, 4) };
  }
}

function readLittleEndian(input: Input, size: number): number {
  let value = 0;
  for (let i = 0; i < size; i++) {
    const byte = input.bytes[input.at + i];
    if (byte === undefined) throw malformed();
    value += byte * 2 ** (8 * i);
  }
  input.at += size;
  return value;
}

/** At most 32 bits. */
function readVarint(input: Input): number {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = readLittleEndian(input, 1);
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return value;
  }
  throw malformed();
}

function malformed(): VouchsafeError {
  return new VouchsafeError("outbound-failed", "what was stored as Snappy is not of its block format");
}
