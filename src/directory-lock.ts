import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { VouchsafeError } from "./errors.ts";

/** Makes the data directory where it is missing, and nobody else's. Throws `configuration-invalid` where it cannot. */
export async function ensurePrivateDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new VouchsafeError(
      "configuration-invalid",
      `The data directory ${directory} cannot be this user's own: ${why}`,
      { cause },
    );
  }
}

/**
 * Takes a data directory for this process: the embedded database does not, and two processes would corrupt it.
 *
 * The lock is the kernel's, on an SQLite file (Node has no call of its own for file locks): it ends with the
 * process however that ends, so there is no stale lock to judge, and it holds between containers that share the
 * directory, where process ids say nothing.
 *
 * Throws `configuration-invalid` when someone holds it, or it cannot be taken. Resolves to the way to give it back.
 */
export async function lockDirectory(directory: string): Promise<() => void> {
  await ensurePrivateDirectory(directory);
  const path = join(directory, "lock");
  await writeFile(path, "", { flag: "a", mode: 0o600 });
  const lock = new DatabaseSync(path);
  try {
    lock.exec("pragma locking_mode = exclusive; begin exclusive");
  } catch (cause) {
    lock.close();
    const why = isBusy(cause)
      ? "is in use by another process: stop it, or choose another data directory"
      : `cannot be locked by its file ${path}: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new VouchsafeError("configuration-invalid", `${directory} ${why}`, { cause });
  }
  return () => lock.close();
}

/** SQLITE_BUSY, as node:sqlite tells it. */
function isBusy(error: unknown): boolean {
  return (error as { readonly errcode?: unknown }).errcode === 5;
}
