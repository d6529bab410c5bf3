import { VouchsafeError } from "../errors.ts";

/** What the length before an entry can say: 16 bits. */
const MAX_ENTRY_BYTES = 0xffff;
const LENGTH_BYTES = 2;

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

/** The most that a bundle of this many entries can have. */
export function maxBundleBytes(count: number): number {
  return count * (LENGTH_BYTES + MAX_ENTRY_BYTES);
}

/** Takes a bundle of exactly `count` entries apart. Throws `proof-invalid`: such bytes are of no tree. */
export function decodeEntryBundle(bundle: Uint8Array, count: number): Uint8Array[] {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bundle.length && entries.length < count) {
    const begin = at + LENGTH_BYTES;
    at = begin + ((bundle[at] ?? 0) << 8) + (bundle[at + 1] ?? 0);
    entries.push(bundle.subarray(begin, at));
  }
  if (at !== bundle.length || entries.length !== count)
    throw new VouchsafeError("proof-invalid", `The entry bundle does not have ${count} entries.`);
  return entries;
}
