import { constants } from "node:fs";
import { type FileHandle, open, opendir, readlink, statfs } from "node:fs/promises";
import { denied } from "../denied.ts";
import { type ForeignMounts, foreignMountsOf, isLocal } from "./local-file-systems.ts";

/** open(2): refers to a file without opening it, so that no device, pipe or server is touched. The same on x86-64 and arm64. */
const O_PATH = 0o10000000;
const REFER = O_PATH | constants.O_NOFOLLOW;
const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
/** As many as Linux itself follows. */
const MAX_LINKS = 40;
const MAX_ENTRIES = 65_536;

/** A process's files as it sees them itself: its mount namespace below its root directory. */
export interface ProcessRoot {
  /** Opens a regular file for reading. Throws `VouchsafeError` (`identity-denied`). */
  openFile(path: string): Promise<FileHandle>;
  /** Names in a directory that pass. Throws `VouchsafeError` (`identity-denied`). */
  namesIn(path: string, passes: (name: string) => boolean, most: number): Promise<string[]>;
  close(): Promise<void>;
}

/**
 * Whoever runs in a container writes its symbolic links, and may change them while they are read: none is followed
 * by the kernel, which would follow it from the agent's root. Paths are walked name by name from directories that
 * are held open, links are read as text and walked from the process's root, and `..` goes back to the directory
 * that was walked through; so nothing outside the root is ever reached. (openat2(2) with RESOLVE_IN_ROOT does the
 * same; where a seccomp profile older than it is in force it does not work.)
 *
 * File systems that are not the kernel's own are refused before anything is looked up in them: their servers could
 * let the agent wait.
 */
export async function openProcessRoot(pid: number): Promise<ProcessRoot> {
  const [root, foreign] = await Promise.all([
    open(`/proc/${pid}/root`, O_PATH | constants.O_DIRECTORY),
    foreignMountsOf(pid),
  ]).catch((cause) => {
    throw denied("file-unreadable", "The process's root directory cannot be looked at", cause);
  });
  return {
    async openFile(path) {
      await using referred = await referTo(root, path, foreign);
      const meant = await referred.stat({ bigint: true });
      if (!meant.isFile()) throw denied("file-not-regular", `${path} is no regular file`);
      await refuseForeign(referred, path);
      // Awaited here: what it is opened by is closed afterwards.
      return await reopen(referred, path);
    },
    async namesIn(path, passes, most) {
      await using referred = await referTo(root, path, foreign);
      await refuseForeign(referred, path);
      const directory = await opendir(linkTo(referred)).catch((cause) => {
        throw denied("file-unreadable", `${path} is no directory that can be read`, cause);
      });
      const names: string[] = [];
      let seen = 0;
      for await (const { name } of directory) {
        seen += 1;
        if (passes(name)) names.push(name);
        if (seen > MAX_ENTRIES || names.length > most) {
          throw denied("files-too-many", `${path} has more files than are hashed`);
        }
      }
      return names.sort();
    },
    close: () => root.close(),
  };
}

async function referTo(root: FileHandle, path: string, foreign: ForeignMounts): Promise<FileHandle> {
  const walked: { readonly name: string; readonly handle: FileHandle }[] = [];
  const ahead = segmentsOf(path);
  let links = 0;
  try {
    for (let name = ahead.pop(); name !== undefined; name = ahead.pop()) {
      if (name === "..") {
        await walked.pop()?.handle.close();
        continue;
      }
      const place = `/${[...walked.map((step) => step.name), name].join("/")}`;
      if (foreign.has(place)) throw notLocal(place);
      const parent = walked.at(-1)?.handle ?? root;
      const handle = await open(`${linkTo(parent)}/${name}`, REFER);
      const isLink = await handle.stat().then(
        (found) => found.isSymbolicLink(),
        async (error) => {
          await handle.close();
          throw error;
        },
      );
      if (!isLink) {
        walked.push({ name, handle });
        continue;
      }
      await handle.close();
      links += 1;
      if (links > MAX_LINKS) throw denied("file-missing", `${path} leads through too many links`);
      const target = await readlink(`${linkTo(parent)}/${name}`);
      if (target.startsWith("/")) {
        for (const step of walked.splice(0)) await step.handle.close();
      }
      ahead.push(...segmentsOf(target));
    }
    const found = walked.pop();
    if (found === undefined) throw denied("file-not-regular", `${path} is the root directory`);
    return found.handle;
  } catch (error) {
    throw problemOf(error, path);
  } finally {
    for (const { handle } of walked) await handle.close();
  }
}

/** The next one last. */
function segmentsOf(path: string): string[] {
  return path
    .split("/")
    .filter((segment) => segment !== "" && segment !== ".")
    .reverse();
}

/** Leads to what the handle refers to, whatever became of its name. */
function linkTo({ fd }: FileHandle): string {
  return `/proc/self/fd/${fd}`;
}

async function reopen(referred: FileHandle, path: string): Promise<FileHandle> {
  return open(linkTo(referred), READ).catch((error) => {
    throw problemOf(error, path);
  });
}

async function refuseForeign(referred: FileHandle, path: string): Promise<void> {
  if (!isLocal((await statfs(linkTo(referred))).type)) throw notLocal(path);
}

function notLocal(path: string) {
  return denied("file-not-local", `${path} is on a file system that this kernel does not hold alone`);
}

function problemOf(error: unknown, path: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return denied("file-missing", `${path} is not there`, error);
  return typeof code === "string" && /^E[A-Z]+$/.test(code)
    ? denied("file-unreadable", `${path} cannot be opened`, error)
    : error;
}
