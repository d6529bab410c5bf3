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
/** Milliseconds. A file changed this recently could change again without its change time showing it (coarse kernel clocks). */
const COARSE = 100;

export interface HasherOptions {
  /** The code of the denial for a file that changed while it was hashed. */
  readonly changed: string;
  /** What else looks at the bytes; by default for the markers of interpreters. */
  readonly newSearch?: () => ByteSearch;
  /** Whether each write from now on shows in the change time; by default as for files that nobody may write while they run. */
  readonly isSettled?: (file: FileHandle, before: BigIntStats) => boolean | Promise<boolean>;
}

/** Equal for two moments when it was the same file, unchanged, at both. */
export function stateOf({ dev, ino, ctimeNs, size }: BigIntStats): string {
  return `${dev}:${ino}:${ctimeNs}:${size}`;
}

/**
 * Hashes files. Contents are remembered by (device, inode, change time, size): change time is the kernel's and not the
 * user's to set.
 */
export function createFileHasher({
  changed,
  newSearch = createMarkerSearch,
  isSettled = (_, before) => ageOf(before) >= COARSE,
}: HasherOptions) {
  const cache = new Map<string, Promise<Contents>>();

  /** @param file open while this runs, so that its inode cannot become another file's; @param before its state then */
  return async function contentsOf(file: FileHandle, before: BigIntStats): Promise<Contents> {
    const state = stateOf(before);
    const known = cache.get(state);
    if (known !== undefined) return known;
    // Asked before anything is read: a write after that shows.
    const settled = await isSettled(file, before);
    const reading = readContents(file, before, changed, newSearch());
    if (!settled) return reading;
    cache.set(state, reading);
    forgetOldest(cache, MAX_CACHED);
    reading.catch(() => cache.delete(state));
    return reading;
  };
}

/** Milliseconds since it changed. */
export function ageOf({ ctimeMs }: BigIntStats): number {
  return Date.now() - Number(ctimeMs);
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
