/** What the length before an entry can say: 16 bits. */
const MAX_ENTRY_BYTES = 0xffff;

/**
 * Entries as tlog-tiles serves them ("Log entries"): each after its length, two bytes big-endian. They are the very
 * bytes that are hashed into the tree. Throws `RangeError` for an entry that is too long.
 */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    entries.flatMap((entry) => {
      if (entry.length > MAX_ENTRY_BYTES) throw new RangeError("the entry is too long for a bundle");
      return [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry];
    }),
  );
}
