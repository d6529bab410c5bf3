import { randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { VouchsafeError } from "./errors.ts";

/**
 * The text of a file that holds a secret; made there (mode 0600) when there is none. Of two processes that start
 * at once, both get the one that remains.
 *
 * Throws `configuration-invalid` for a file that cannot be read.
 */
export async function readOrCreate(path: string, make: () => string): Promise<string> {
  return (await readIfThere(path))?.toString() ?? (await create(path, make()));
}

/**
 * Writes the text under a name of its own and links it into place when it is safe on the disk, so the file is
 * never there in part.
 */
async function create(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
  await syncDirectory(dirname(path));
  return readFile(path, "utf8");
}

/** Until then a crash of the machine may take a file's name away, though its content is on the disk. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  await directory.sync().finally(() => directory.close());
}

/** A file's bytes; undefined where there is none. Throws `configuration-invalid` when it cannot be read. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new VouchsafeError("configuration-invalid", `${path} cannot be read`, { cause });
  }
}
