/**
 * Decodes base64 (RFC 4648 §4) in its one canonical spelling: padded, no white space, no stray bits. Returns
 * undefined for any other text, so that two spellings never name the same bytes.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

/** As `decodeBase64`, and takes the URL-safe alphabet (RFC 4648 §5) too, never a mixture. */
export function decodeEitherBase64(text: string): Uint8Array | undefined {
  const bytes = decodeBase64(text);
  if (bytes !== undefined || text.includes("+") || text.includes("/")) return bytes;
  return decodeBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
}
