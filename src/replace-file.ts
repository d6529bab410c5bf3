import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "./create-once.ts";

/**
 * Puts bytes in the place of a file (mode 0600), or makes it: when it resolves they are on the disk. A crash before
 * leaves the file as it was, and at most a draft beside it.
 */
export async function replaceFile(path: string, bytes: string | Uint8Array): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
    await rename(draft, path);
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
  await syncDirectory(dirname(path));
}
