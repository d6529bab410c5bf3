import { type FileHandle, readFile, statfs } from "node:fs/promises";

const TMPFS = 0x01021994;
const RAMFS = 0x858458f6;

/**
 * File systems whose contents only this kernel changes: their magic (statfs(2)), and their names in mountinfo. On others
 * (FUSE, NFS, 9P …) whoever serves them can show the agent bytes that the process never ran or read.
 */
const LOCAL: ReadonlyMap<number, readonly string[]> = new Map([
  [0xef53, ["ext2", "ext3", "ext4"]],
  [0x58465342, ["xfs"]],
  [0x9123683e, ["btrfs"]],
  [0xf2f52010, ["f2fs"]],
  [0x2fc12fc1, ["zfs"]],
  [0xca451a4e, ["bcachefs"]],
  [0x794c7630, ["overlay"]],
  [TMPFS, ["tmpfs"]],
  [RAMFS, ["ramfs"]],
  [0x73717368, ["squashfs"]],
  [0xe0f5e1e2, ["erofs"]],
]);
const LOCAL_NAMES = new Set([...LOCAL.values()].flat());

/** @param type as statfs(2) has it */
export function isLocal(type: number): boolean {
  return LOCAL.has(type);
}

/** Whether the kernel writes the open file's pages back to a disk: in memory alone, a mapped page can be written for ever unseen. */
export async function isWrittenBack({ fd }: FileHandle): Promise<boolean> {
  const { type } = await statfs(`/proc/self/fd/${fd}`);
  return type !== TMPFS && type !== RAMFS;
}

/** Paths, as a process sees them, at which file systems are mounted that this kernel does not hold alone. */
export type ForeignMounts = ReadonlySet<string>;

/** Throws where `/proc` does not say. */
export async function foreignMountsOf(pid: number): Promise<ForeignMounts> {
  return parseForeignMounts(await readFile(`/proc/${pid}/mountinfo`, "utf8"));
}

/** proc_pid_mountinfo(5): the mount point is the fifth field, the type follows a lone `-`. The last at a path is on top. */
export function parseForeignMounts(mountinfo: string): ForeignMounts {
  const foreign = new Set<string>();
  for (const line of mountinfo.split("\n")) {
    const fields = line.split(" ");
    const [point = "", type = ""] = [fields[4], fields[fields.indexOf("-", 6) + 1]];
    const path = point.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
    if (LOCAL_NAMES.has(type)) foreign.delete(path);
    else if (path !== "") foreign.add(path);
  }
  return foreign;
}
