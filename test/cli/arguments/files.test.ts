import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readBytes, requireReadable } from "../../../src/cli/arguments/files.ts";
import { UsageError } from "../../../src/cli/usage-error.ts";

describe("a file that the command line names", () => {
  let directory: string;
  let file: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-files-"));
    file = join(directory, "file");
    await writeFile(file, "four");
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const refused = (reading: Promise<unknown>, why: RegExp) =>
    assert.rejects(reading, (error) => error instanceof UsageError && why.test(error.message));

  test("is there, and no directory, whether it is read at once or as it comes", async () => {
    for (const read of [readBytes, requireReadable]) {
      await read(file);
      await refused(read(join(directory, "none")), /none cannot be read: it is not there$/);
      await refused(read(directory), /cannot be read: it is a directory$/);
    }
  });

  test("is read as far as it may be long, and then refused: a device has no end", async () => {
    assert.equal(Buffer.from(await readBytes(file, 4)).toString(), "four");
    await refused(readBytes(file, 3), /file cannot be read: it has more than 3 bytes$/);
    await refused(readBytes("/dev/zero", 1_000_000), /it has more than 1,000,000 bytes$/);
  });
});
