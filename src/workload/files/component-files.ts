import type { BigIntStats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { VouchsafeError } from "../../errors.ts";
import { openGate } from "../../gate.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { parseFilePattern } from "../../policy/file-pattern.ts";
import { codeOf, denied } from "../denied.ts";
import { within } from "../wait.ts";
import { ageOf, type ByteSearch, createFileHasher, stateOf } from "./hash-file.ts";
import { isWrittenBack } from "./local-file-systems.ts";
import { openProcessRoot, type ProcessRoot } from "./open-in-root.ts";

export interface FileReaderOptions {
  /** How long one attestation waits for hashes, in milliseconds. They go on, and the next one finds them. */
  readonly patience?: number;
  /** Milliseconds that a file must not have changed for before its hash is remembered. */
  readonly writtenBack?: number;
}

/** What is hashed for one component. Weights of a language model are hundreds of gigabytes. */
const MAX_FILES = 64;
const MAX_BYTES = 2n ** 38n;
const PATIENCE = 60_000;
/**
 * A page that a process has mapped and written it may write again without the change time showing it, until the kernel has
 * written it back: Linux does so after half a minute.
 */
const WRITTEN_BACK = 60_000;
/** Hashing takes a core and the disk, which the host's workloads need. */
const HASHING = { atOnce: 2, waiting: 1024 };

/** Prompts may mention interpreters as they like. */
const NO_SEARCH: ByteSearch = { update() {}, found: () => undefined };

interface OpenFile {
  readonly path: string;
  readonly file: FileHandle;
  readonly found: BigIntStats;
}

/** Hashes the files that workload policies name, as the workload itself sees them. */
export function createFileReader({
  patience = PATIENCE,
  writtenBack = WRITTEN_BACK,
}: FileReaderOptions = {}) {
  const contentsOf = createFileHasher({
    changed: "file-changed",
    newSearch: () => NO_SEARCH,
    isSettled: async (file, before) => ageOf(before) >= writtenBack && (await isWrittenBack(file)),
  });
  const gate = openGate(HASHING);

  async function hash({ file, found }: OpenFile): Promise<Digest> {
    // Closed when it is hashed, which nobody may be waiting for any more.
    await using _ = file;
    return (await gate(() => contentsOf(file, found))).digest;
  }

  async function digestsOf(root: ProcessRoot, patterns: readonly string[]): Promise<Digest[]> {
    const files = await openAll(root, patterns);
    const digests = await within(patience, Promise.all(files.map(hash)));
    if (digests === undefined)
      throw new VouchsafeError("unavailable", "The workload's files are still being hashed; ask again");
    await refuseOthers(root, patterns, files);
    return [...new Set(digests)];
  }

  /**
   * The digests of all files that these patterns name, which are those of one moment after the last was hashed; or why
   * there are none. Throws `VouchsafeError` (`unavailable`) while they are still being hashed.
   */
  return async function readFiles(
    pid: number,
    patterns: readonly string[],
  ): Promise<readonly Digest[] | string> {
    try {
      await using opened = await inRoot(pid);
      return await digestsOf(opened.root, patterns);
    } catch (error) {
      const code = codeOf(error);
      if (code === undefined) throw error;
      return code;
    }
  };
}

export type ReadFiles = ReturnType<typeof createFileReader>;

async function inRoot(pid: number) {
  const root = await openProcessRoot(pid);
  return { root, [Symbol.asyncDispose]: root.close };
}

async function pathsOf(root: ProcessRoot, patterns: readonly string[]): Promise<string[]> {
  const paths = new Set<string>();
  for (const text of patterns) {
    const { directory, name, isExact } = parseFilePattern(text);
    // A glob of one name says it with a backslash or not at all: only what is exact is its own name.
    const names = isExact ? [name.text] : await root.namesIn(directory, name.matches, MAX_FILES);
    if (names.length === 0) throw denied("file-missing", `Nothing is named ${text}`);
    for (const one of names) paths.add(`${directory}/${one}`);
  }
  if (paths.size > MAX_FILES)
    throw denied("files-too-many", `More than ${MAX_FILES} files are one component`);
  return [...paths];
}

async function openAll(root: ProcessRoot, patterns: readonly string[]): Promise<OpenFile[]> {
  const opened: OpenFile[] = [];
  let bytes = 0n;
  try {
    for (const path of await pathsOf(root, patterns)) {
      const file = await root.openFile(path);
      const found = await file.stat({ bigint: true });
      opened.push({ path, file, found });
      bytes += found.size;
      if (bytes > MAX_BYTES) throw denied("files-too-large", `The files are over ${MAX_BYTES} bytes`);
    }
    return opened;
  } catch (error) {
    for (const { file } of opened) await file.close();
    throw error;
  }
}

/** Whether the same files, unchanged, are at all paths now that all are hashed: none was exchanged for a moment. */
async function refuseOthers(root: ProcessRoot, patterns: readonly string[], files: readonly OpenFile[]) {
  const again = await openAll(root, patterns);
  for (const { file } of again) await file.close();
  const same = again.map(({ path, found }) => `${stateOf(found)} ${path}`).join("\n");
  if (same !== files.map(({ path, found }) => `${stateOf(found)} ${path}`).join("\n")) {
    throw denied("file-changed", "The files changed while they were hashed");
  }
}
