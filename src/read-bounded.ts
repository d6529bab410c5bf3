/**
 * What a stranger sends, whole; undefined when it is longer than that: the rest is not read, and the stream is destroyed. Throws what
 * breaks the stream off.
 */
export async function readBounded(
  chunks: AsyncIterable<Uint8Array> | null,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const read: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks ?? []) {
    size += chunk.length;
    if (size > maxBytes) return undefined;
    read.push(chunk);
  }
  return Buffer.concat(read);
}
