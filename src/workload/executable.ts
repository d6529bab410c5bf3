import { open, readlink, stat, statfs } from "node:fs/promises";
import { basename } from "node:path";
import type { Digest } from "../in-toto-attestation/types.ts";
import { denied } from "./denied.ts";
import { createFileHasher, stateOf } from "./files/hash-file.ts";
import { isLocal } from "./files/local-file-systems.ts";
import { interpreterNamed } from "./interpreters.ts";

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

/** Hashes what processes run. */
export function createExecutableReader() {
  const contentsOf = createFileHasher({ changed: "executable-changed" });

  /** Throws `VouchsafeError` (`identity-denied`) for what cannot be read, or not be relied on. */
  return async function readExecutable(pid: number): Promise<Executable> {
    const link = `/proc/${pid}/exe`;
    // While it is open the inode is taken and cannot become another file's.
    await using file = await open(link).catch((cause) => {
      throw denied("executable-unreadable", "The process's executable cannot be opened", cause);
    });
    const before = await file.stat({ bigint: true });
    await refuseForeignFileSystem(link);
    if (before.size > MAX_BYTES) {
      throw denied("executable-too-large", `The executable is over ${MAX_BYTES} bytes`);
    }
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

async function refuseForeignFileSystem(link: string): Promise<void> {
  const { type } = await statfs(link);
  if (!isLocal(type)) {
    const what = `The executable is on a file system (type 0x${type.toString(16)}) that this kernel does not hold alone`;
    throw denied("executable-not-local", what);
  }
}
