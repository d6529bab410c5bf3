import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { type FileHandle, open, readlink, stat, statfs } from "node:fs/promises";
import { basename } from "node:path";
import { digestOf } from "../in-toto-attestation/digest.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import { denied } from "./denied.ts";
import { createMarkerSearch, interpreterNamed } from "./interpreters.ts";

/** The file that a process runs. */
export interface Executable {
  readonly digest: Digest;
  /** The family of interpreters that it belongs to, if any: then its digest does not say what runs. */
  readonly interpreter: string | undefined;
  /** As the process sees it; undefined once the name is gone or names something else. */
  readonly path: string | undefined;
  /** Which file it was, and in which state: see `executableState`. */
  readonly state: string;
}

/** Larger ones are not hashed. */
const MAX_BYTES = 2 ** 31;
const PIECE = 2 ** 20;
const MAX_CACHED = 1024;
/** A file changed this recently could change again without its change time showing it (coarse kernel clocks). */
const SETTLED_MS = 100;

/**
 * File systems whose contents only this kernel changes (statfs(2)). On others (FUSE, NFS, 9P …) whoever serves
 * them can show the agent bytes that the process never ran.
 */
const LOCAL_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, "ext2, ext3, ext4"],
  [0x58465342, "xfs"],
  [0x9123683e, "btrfs"],
  [0xf2f52010, "f2fs"],
  [0x2fc12fc1, "zfs"],
  [0xca451a4e, "bcachefs"],
  [0x794c7630, "overlayfs"],
  [0x01021994, "tmpfs"],
  [0x858458f6, "ramfs"],
  [0x73717368, "squashfs"],
  [0xe0f5e1e2, "erofs"],
]);

interface Contents {
  readonly digest: Digest;
  readonly interpreter: string | undefined;
}

/**
 * Hashes what processes run. Contents are remembered by (device, inode, change time, size): change time is the
 * kernel's and not the user's to set.
 */
export function createExecutableReader() {
  const cache = new Map<string, Promise<Contents>>();

  async function contentsOf(file: FileHandle, before: BigIntStats): Promise<Contents> {
    const state = stateOf(before);
    const known = cache.get(state);
    if (known !== undefined) return known;
    const reading = readContents(file, before);
    if (Date.now() - Number(before.ctimeMs) < SETTLED_MS) return reading;
    cache.set(state, reading);
    for (const oldest of cache.keys()) {
      if (cache.size <= MAX_CACHED) break;
      cache.delete(oldest);
    }
    reading.catch(() => cache.delete(state));
    return reading;
  }

  /** Throws `VouchsafeError` (`identity-denied`) for what cannot be read, or not be relied on. */
  return async function readExecutable(pid: number): Promise<Executable> {
    const link = `/proc/${pid}/exe`;
    // While it is open the inode is taken and cannot become another file's.
    await using file = await open(link).catch((cause) => {
      throw denied("executable-unreadable", "The process's executable cannot be opened", cause);
    });
    const before = await file.stat({ bigint: true });
    await refuseForeignFileSystem(link);
    const { digest, interpreter } = await contentsOf(file, before);
    // The kernel tells no path of more than a page.
    const target = await readlink(link).catch((cause) => {
      throw denied("executable-unreadable", "The path of the process's executable cannot be read", cause);
    });
    return {
      digest,
      interpreter: interpreterNamed(basename(target)) ?? interpreter,
      path: before.nlink === 0n ? undefined : target,
      state: stateOf(before),
    };
  };
}

/** Equal for two moments when the process ran the same file, unchanged, at both. */
export async function executableState(pid: number): Promise<string> {
  const found = await stat(`/proc/${pid}/exe`, { bigint: true }).catch((cause) => {
    throw denied("executable-unreadable", "The process's executable cannot be read", cause);
  });
  return stateOf(found);
}

function stateOf({ dev, ino, ctimeNs, size }: BigIntStats): string {
  return `${dev}:${ino}:${ctimeNs}:${size}`;
}

async function refuseForeignFileSystem(link: string): Promise<void> {
  const { type } = await statfs(link);
  if (!LOCAL_FILE_SYSTEMS.has(type)) {
    const what = `The executable is on a file system (type 0x${type.toString(16)}) that this kernel does not hold alone`;
    throw denied("executable-not-local", what);
  }
}

async function readContents(file: FileHandle, before: BigIntStats): Promise<Contents> {
  if (before.size > MAX_BYTES)
    throw denied("executable-too-large", `The executable is over ${MAX_BYTES} bytes`);
  const hash = createHash("sha256");
  const markers = createMarkerSearch();
  const piece = Buffer.allocUnsafe(PIECE);
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(piece, 0, PIECE, position);
    if (bytesRead === 0) break;
    hash.update(piece.subarray(0, bytesRead));
    markers.update(piece.subarray(0, bytesRead));
    position += bytesRead;
  }
  if (stateOf(await file.stat({ bigint: true })) !== stateOf(before)) {
    throw denied("executable-changed", "The executable changed while it was hashed");
  }
  return { digest: digestOf("sha256", hash.digest("hex")), interpreter: markers.found() };
}
