import { randomUUID } from "node:crypto";
import { access, link, open, rm } from "node:fs/promises";
import { UsageError } from "../usage-error.ts";

/** Evidence is not overwritten: a file of that name may be the only copy of what held before. */
export async function refuseExisting(file: string): Promise<void> {
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (exists) throw cannotWrite(file);
}

/**
 * Writes under a name of its own beside the file and links it into place when all of it is safe on the disk: what breaks
 * off leaves no file that looks whole. A crash leaves the draft, which nothing mistakes for a file.
 */
export async function writeNew(file: string, pieces: AsyncIterable<Uint8Array>): Promise<number> {
  const draft = `${file}.${randomUUID()}.part`;
  const handle = await open(draft, "wx").catch((cause: unknown) => {
    throw cannotWrite(file, cause);
  });
  let size = 0;
  try {
    for await (const piece of pieces) {
      await handle.writeFile(piece);
      size += piece.length;
    }
    await handle.sync();
    await link(draft, file).catch((cause: unknown) => {
      throw cannotWrite(file, cause);
    });
  } finally {
    await handle.close();
    await rm(draft, { force: true });
  }
  return size;
}

function cannotWrite(file: string, cause?: unknown): UsageError {
  return new UsageError(
    `${file} cannot be written: it exists already, or its directory does not; name another with --output`,
    { cause },
  );
}
