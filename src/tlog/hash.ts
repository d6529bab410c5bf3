import { hash } from "node:crypto";

/** Length of every hash in the tree: SHA-256. */
export const HASH_BYTES = 32;

/** By way of a string, because node:crypto takes four times as long to hand out a buffer of its own. */
function sha256(bytes: Uint8Array): Uint8Array {
  return Buffer.from(hash("sha256", bytes, "binary"), "binary");
}

/** The root of a tree of no leaves (RFC 6962, 2.1: the hash of the empty string). */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array(0));

/** RFC 6962, 2.1: `SHA-256(0x00 ‖ leaf)`. */
export function leafHash(leaf: Uint8Array): Uint8Array {
  const prefixed =
    leaf.length < room.length ? room.subarray(0, 1 + leaf.length) : new Uint8Array(1 + leaf.length);
  prefixed.set(leaf, 1);
  return sha256(prefixed);
}

// Both are reused between calls: hashing is synchronous, so no two calls ever see them at once.

/** Of a leaf of common size, after the zero that stands before every leaf. */
const room = new Uint8Array(16 * 1024);

const pair = new Uint8Array(1 + 2 * HASH_BYTES);
pair[0] = 0x01;

/** RFC 6962, 2.1: `SHA-256(0x01 ‖ left ‖ right)`. Both are 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  pair.set(left, 1);
  pair.set(right, 1 + HASH_BYTES);
  return sha256(pair);
}

/** Whether two hashes are the same. Nothing here is secret, so the comparison need not take constant time. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
