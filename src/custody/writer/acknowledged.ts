import { hash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "../../create-once.ts";
import { VouchsafeError } from "../../errors.ts";
import { decodeBase64, encodeBase64 } from "../../tlog/base64.ts";
import { EMPTY_TREE, type KnownTree } from "./consistency.ts";

/**
 * What this node has acknowledged: the largest tree of which it gave out a receipt, kept outside the database so
 * that a database that was rolled back or rewritten is noticed.
 */
export interface Acknowledged {
  /** As of when the file was opened. */
  readonly tree: KnownTree;
  /** Resolves when this tree, or a larger one recorded after it, is on the disk. Calls under way share one fsync. */
  record(tree: KnownTree): Promise<void>;
  close(): Promise<void>;
}

/** Less than a disk sector, so that a slot is hardly ever torn; its hash tells when one was. */
const SLOT_BYTES = 512;

/**
 * Opens the file, or creates it. It has two slots that are written in turn: a crash in the middle of a write
 * spoils the slot being written and leaves the other, which is what was acknowledged last.
 *
 * Throws `log-inconsistent` when neither slot can be read, or when the file is of another log.
 */
export async function openAcknowledged(path: string, origin: string): Promise<Acknowledged> {
  const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    await syncDirectory(dirname(path));
    const slots = await readSlots(file, origin);
    const newest = slots.reduce((a, b) => (b.tree.size >= a.tree.size ? b : a), {
      slot: 1,
      tree: EMPTY_TREE,
    });
    return recorder(file, origin, newest);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** What a node acknowledged, which may run meanwhile; undefined where it never did. Throws `log-inconsistent` as `openAcknowledged`. */
export async function readAcknowledged(path: string, origin: string): Promise<KnownTree | undefined> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const slots = await readSlots(file, origin);
    return slots.map(({ tree }) => tree).toSorted((a, b) => b.size - a.size)[0];
  } finally {
    await file.close();
  }
}

function recorder(
  file: FileHandle,
  origin: string,
  opened: { readonly slot: number; readonly tree: KnownTree },
): Acknowledged {
  let { slot, tree: wanted } = opened;
  let written = opened.tree.size;
  let writing: Promise<void> | undefined;

  async function writeWanted(): Promise<void> {
    const tree = wanted;
    const other = 1 - slot;
    const { bytesWritten } = await file.write(formatSlot(origin, tree), 0, SLOT_BYTES, other * SLOT_BYTES);
    if (bytesWritten < SLOT_BYTES) throw new Error("The disk took less than was written");
    await file.datasync();
    // Only now: a write that failed may have spoilt its slot, and never the one that holds.
    slot = other;
    written = tree.size;
  }

  return {
    tree: opened.tree,
    async record(tree) {
      if (tree.size > wanted.size) wanted = tree;
      while (written < tree.size) {
        writing ??= writeWanted().finally(() => {
          writing = undefined;
        });
        await writing;
      }
    },
    close: () => file.close(),
  };
}

async function readSlots(file: FileHandle, origin: string): Promise<{ slot: number; tree: KnownTree }[]> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2 * SLOT_BYTES + 1), 0, 2 * SLOT_BYTES + 1, 0);
  const slots = [0, 1].flatMap((slot) => {
    const end = Math.min(bytesRead, (slot + 1) * SLOT_BYTES);
    const tree = parseSlot(buffer.subarray(slot * SLOT_BYTES, Math.max(slot * SLOT_BYTES, end)), origin);
    return tree === undefined ? [] : [{ slot, tree }];
  });
  // A crash before the very first write was complete leaves less than both slots, and nothing was acknowledged.
  if (slots.length === 0 && bytesRead > SLOT_BYTES) {
    throw new VouchsafeError("log-inconsistent", "The file of what this node acknowledged is damaged");
  }
  return slots;
}

/** Origin, size, root, and the hash of these three lines; filled up with newlines. */
function formatSlot(origin: string, { size, root }: KnownTree): Buffer {
  const text = `${origin}\n${size}\n${encodeBase64(root)}\n`;
  return Buffer.from(`${text}${hash("sha256", text)}\n`.padEnd(SLOT_BYTES, "\n"));
}

function parseSlot(bytes: Buffer, origin: string): KnownTree | undefined {
  const [name = "", size = "", root = "", digest = ""] = bytes.toString().split("\n");
  if (hash("sha256", `${name}\n${size}\n${root}\n`) !== digest) return undefined;
  if (name !== origin) {
    throw new VouchsafeError(
      "log-inconsistent",
      `What this node acknowledged is of the log ${name}, not ${origin}`,
    );
  }
  return { size: Number(size), root: decodeBase64(root) ?? new Uint8Array(0) };
}
