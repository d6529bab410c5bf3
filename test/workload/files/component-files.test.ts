import assert from "node:assert/strict";
import { mkdtemp, rename, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { createFileReader } from "../../../src/workload/files/component-files.ts";

describe("a component's files", { skip: process.platform !== "linux" && "only Linux has /proc" }, () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-component-"));
    for (const name of ["a.md", "b.md", "c.txt"]) await writeFile(join(directory, name), name);
  });
  after(() => rm(directory, { recursive: true, force: true }));
  const read = createFileReader();
  const own = (...patterns: string[]) =>
    read(
      process.pid,
      patterns.map((pattern) => join(directory, pattern)),
    );

  test("are all that the patterns name, each once", async () => {
    const [a, b, c] = ["a.md", "b.md", "c.txt"].map(sha256);
    assert.deepEqual(await own("*.md"), [a, b]);
    assert.deepEqual(await own("c.txt", "*.md", "a.md"), [c, a, b]);
    await writeFile(join(directory, "again.md"), "a.md");
    assert.deepEqual(await own("*.md"), [a, b], "two files of the same bytes have one digest");
  });

  test("are hashed anew when one was written, also where its times and size say nothing", async () => {
    const path = join(directory, "c.txt");
    const long = new Date(0);
    await utimes(path, long, long);
    assert.deepEqual(await own("c.txt"), [sha256("c.txt")]);
    await writeFile(path, "d.txt");
    await utimes(path, long, long);
    assert.deepEqual(await own("c.txt"), [sha256("d.txt")]);
    await writeFile(join(directory, "draft"), "e.txt");
    await rename(join(directory, "draft"), path);
    assert.deepEqual(await own("c.txt"), [sha256("e.txt")]);
  });

  test("are absent with the reason where one of them cannot be had", async () => {
    assert.equal(await own("a.md", "none.md"), "file-missing");
    assert.equal(await own("*.none"), "file-missing");
    assert.equal(await read(process.pid, ["/proc/version"]), "file-not-local");
    assert.equal(await read(2 ** 22 + 1, ["/a"]), "file-unreadable");
  });

  test("are bounded in number and in size", async () => {
    await Promise.all(Array.from({ length: 65 }, (_, i) => writeFile(join(directory, `shard-${i}`), `${i}`)));
    assert.equal(await own("shard-*"), "files-too-many");
    await rm(join(directory, "shard-64"));
    assert.equal((await own("shard-*")).length, 64);
    await writeFile(join(directory, "sparse"), "");
    await truncate(join(directory, "sparse"), 2 ** 38 + 1);
    assert.equal(await own("sparse"), "files-too-large");
  });

  test("are waited for so long; the next who asks finds what was hashed meanwhile", async () => {
    await writeFile(join(directory, "large"), "");
    await truncate(join(directory, "large"), 2 ** 28);
    await new Promise((resolve) => setTimeout(resolve, 150));
    const hasty = createFileReader({ patience: 1 });
    const ask = () => hasty(process.pid, [join(directory, "large")]);
    await assert.rejects(ask(), { code: "unavailable" });
    const found = await own("large");
    for (let tries = 0; tries < 500; tries += 1) {
      const answer = await ask().catch(() => undefined);
      if (answer !== undefined) return assert.deepEqual(answer, found);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.fail("it was never hashed");
  });
});
