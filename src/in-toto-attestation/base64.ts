/**
 * Decodes base64 (RFC 4648 §4) in its one canonical spelling: padded, no white space, no stray bits. Returns
 * undefined for any other text, so that two spellings never name the same bytes.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  return isEncodingOf(text, bytes) ? bytes : undefined;
}

/**
 * Whether the bytes, decoded from this text, would be encoded as it, without encoding more than their end: evidence is
 * mostly base64. Where length and end are those of the encoding, the decoder passed nothing over; what it takes beyond
 * the alphabet is the URL-safe one and, by their low bytes, characters that are not ASCII.
 */
function isEncodingOf(text: string, bytes: Buffer): boolean {
  const tail = bytes.length % 3;
  return (
    text.length === Math.ceil(bytes.length / 3) * 4 &&
    Buffer.byteLength(text) === text.length &&
    !text.includes("-") &&
    !text.includes("_") &&
    (tail === 0 || text.endsWith(bytes.toString("base64", bytes.length - tail)))
  );
}

/** As `decodeBase64`, and takes the URL-safe alphabet (RFC 4648 §5) too, never a mixture. */
export function decodeEitherBase64(text: string): Uint8Array | undefined {
  const bytes = decodeBase64(text);
  if (bytes !== undefined || text.includes("+") || text.includes("/")) return bytes;
  return decodeBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
}
