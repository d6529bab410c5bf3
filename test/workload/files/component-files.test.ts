import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, statfsSync } from "node:fs";
import { mkdtemp, open, rename, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { createFileReader } from "../../../src/workload/files/component-files.ts";
import { isWrittenBack } from "../../../src/workload/files/local-file-systems.ts";
import { endChild, endWithParent } from "../../support/child.ts";

/** Maps a file and writes to it what it holds; then, told so, something else, by the same mapping. */
const MAPPING = `
import mmap, os, sys
shared = mmap.mmap(os.open(sys.argv[1], os.O_RDWR), 0)
for byte in (shared[0:1], b"X"):
    shared[0:1] = byte
    print("written", flush=True)
    sys.stdin.readline()
`;
const hasPython = spawnSync("python3", ["--help"]).error === undefined;

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

  const needsPython = !hasPython && "it needs python3, which maps files";
  test("are hashed anew when one was written through memory", { skip: needsPython }, async () => {
    const path = join(directory, "prompts");
    await writeFile(path, "a prompt");
    const child = spawn("python3", ["-c", MAPPING, path], { stdio: ["pipe", "pipe", "inherit"] });
    endWithParent(child);
    await once(child.stdout, "data");
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.deepEqual(await own("prompts"), [sha256("a prompt")]);
    child.stdin.write("\n");
    await once(child.stdout, "data");
    assert.deepEqual(await own("prompts"), [sha256("X prompt")]);
    await endChild(child);
  });

  const noMemory = !existsSync("/dev/shm") && "there is no /dev/shm";
  test("are never remembered where nothing is written back", { skip: noMemory }, async () => {
    const inMemory = await mkdtemp("/dev/shm/vouchsafe-component-");
    await using file = await open(join(inMemory, "prompts"), "w");
    assert.equal(await isWrittenBack(file), false);
    await rm(inMemory, { recursive: true });
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

  const TMPFS = 0x01021994;
  const inMemory = statfsSync(tmpdir()).type === TMPFS && "what is in memory is hashed each time";
  test("are waited for so long; the next who asks finds what was hashed meanwhile", {
    skip: inMemory,
  }, async () => {
    await writeFile(join(directory, "large"), "");
    await truncate(join(directory, "large"), 2 ** 28);
    await new Promise((resolve) => setTimeout(resolve, 150));
    const hasty = createFileReader({ patience: 1, writtenBack: 100 });
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
