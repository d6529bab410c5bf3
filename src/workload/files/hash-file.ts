import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { digestOf } from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { denied } from "../denied.ts";
import { forgetOldest } from "../forget-oldest.ts";
import { createMarkerSearch } from "../interpreters.ts";

export interface Contents {
  readonly digest: Digest;
  /** The family of interpreters whose marker is in it, if any. */
  readonly interpreter: string | undefined;
}

export type ByteSearch = ReturnType<typeof createMarkerSearch>;

const PIECE = 2 ** 20;
const MAX_CACHED = 1024;
/** A file changed this recently could change again without its change time showing it (coarse kernel clocks). */
const SETTLED_MS = 100;

/** Equal for two moments when it was the same file, unchanged, at both. */
export function stateOf({ dev, ino, ctimeNs, size }: BigIntStats): string {
  return `${dev}:${ino}:${ctimeNs}:${size}`;
}

/**
 * Hashes files. Contents are remembered by (device, inode, change time, size): change time is the kernel's and not the
 * user's to set.
 *
 * @param changed the code of the denial for a file that changed while it was hashed
 * @param newSearch what else looks at the bytes; by default for the markers of interpreters
 */
export function createFileHasher(changed: string, newSearch: () => ByteSearch = createMarkerSearch) {
  const cache = new Map<string, Promise<Contents>>();

  /** @param file open while this runs, so that its inode cannot become another file's; @param before its state then */
  return async function contentsOf(file: FileHandle, before: BigIntStats): Promise<Contents> {
    const state = stateOf(before);
    const known = cache.get(state);
    if (known !== undefined) return known;
    const reading = readContents(file, before, changed, newSearch());
    if (Date.now() - Number(before.ctimeMs) < SETTLED_MS) return reading;
    cache.set(state, reading);
    forgetOldest(cache, MAX_CACHED);
    reading.catch(() => cache.delete(state));
    return reading;
  };
}

async function readContents(
  file: FileHandle,
  before: BigIntStats,
  changed: string,
  markers: ByteSearch,
): Promise<Contents> {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(PIECE);
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(piece, 0, PIECE, position);
    if (bytesRead === 0) break;
    hash.update(piece.subarray(0, bytesRead));
    markers.update(piece.subarray(0, bytesRead));
    position += bytesRead;
    // One that grows while it is read would be read for ever.
    if (position > before.size) break;
  }
  if (stateOf(await file.stat({ bigint: true })) !== stateOf(before)) {
    throw denied(changed, "A file changed while it was hashed");
  }
  return { digest: digestOf("sha256", hash.digest("hex")), interpreter: markers.found() };
}
