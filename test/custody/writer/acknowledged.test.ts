import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { copyFile, mkdtemp, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { loadLogKey } from "../../../src/custody/log-keys/log-key.ts";
import { openAcknowledged } from "../../../src/custody/writer/acknowledged.ts";

const ORIGIN = "vouchsafe.test/log";
const treeOf = (size: number) => ({ size, root: Buffer.alloc(32, size) });
let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-test-"));
});
after(() => rm(directory, { recursive: true }));

describe("what a node has acknowledged", () => {
  it("is the largest tree recorded, also after it was opened anew", async () => {
    const path = join(directory, "largest");
    for (const sizes of [[1, 2, 3], [7, 5, 6], []]) {
      const file = await openAcknowledged(path, ORIGIN);
      await Promise.all(sizes.map((size) => file.record(treeOf(size))));
      await file.close();
    }
    const file = await openAcknowledged(path, ORIGIN);
    assert.deepEqual(file.tree, treeOf(7));
    await file.close();
  });

  it("survives a crash in the middle of any write", async () => {
    const path = join(directory, "torn");
    const file = await openAcknowledged(path, ORIGIN);
    for (let size = 1; size <= 4; size += 1) await file.record(treeOf(size));
    await file.close();
    for (const [slot, left] of [
      [0, 4],
      [1, 3],
    ] as const) {
      assert.equal(await sizeWithout(path, slot), left);
    }
  });

  /** What is read of a copy in which this slot was torn, and which is written on. */
  async function sizeWithout(path: string, slot: number): Promise<number> {
    const copy = `${path}.${slot}`;
    await copyFile(path, copy);
    const torn = await open(copy, "r+");
    await torn.write(Buffer.alloc(100, 0xff), 0, 100, slot * 512 + 10);
    await torn.close();
    const survivor = await openAcknowledged(copy, ORIGIN);
    await survivor.record(treeOf(9));
    await survivor.close();
    return survivor.tree.size;
  }

  it("survives a crash in the middle of the write after one that failed", async (t) => {
    const path = join(directory, "failed");
    const file = await openAcknowledged(path, ORIGIN);
    for (let size = 1; size <= 2; size += 1) await file.record(treeOf(size));
    const other = await open(path);
    const failing = t.mock.method(Object.getPrototypeOf(other), "datasync", async () => {
      throw new Error("EIO");
    });
    await assert.rejects(file.record(treeOf(3)), /EIO/);
    failing.mock.restore();
    await file.record(treeOf(4));
    await Promise.all([file.close(), other.close()]);
    const left = await Promise.all([0, 1].map((slot) => sizeWithout(path, slot)));
    assert.deepEqual(left.toSorted(), [2, 4]);
  });

  it("is refused when nothing of it can be read, or when it is of another log", async () => {
    const path = join(directory, "damaged");
    await writeFile(path, Buffer.alloc(1_024, 0x20));
    await assert.rejects(openAcknowledged(path, ORIGIN), { code: "log-inconsistent" });
    await assert.rejects(openAcknowledged(join(directory, "largest"), "other.test/log"), {
      code: "log-inconsistent",
    });
  });
});

describe("the log's key", () => {
  it("is made once, for its owner's eyes only, however many start at once", async () => {
    const path = join(directory, "keys", "log-key.pem");
    const signers = await Promise.all([1, 2, 3, 4].map(() => loadLogKey(path, ORIGIN)));
    assert.equal(new Set(signers.map(({ verifierKey }) => verifierKey)).size, 1);
    assert.equal((await loadLogKey(path, ORIGIN)).verifierKey, signers[0]?.verifierKey);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  it("is encrypted where it stands as soon as there is a passphrase, which it then takes to open it", async () => {
    const path = join(directory, "encrypted.pem");
    const passphrase = "correct horse battery staple";
    const { verifierKey } = await loadLogKey(path, ORIGIN);
    assert.equal((await loadLogKey(path, ORIGIN, passphrase)).verifierKey, verifierKey);
    assert.match(await readFile(path, "utf8"), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await loadLogKey(path, ORIGIN, passphrase)).verifierKey, verifierKey);
    for (const other of [undefined, "correct horse battery stapler"]) {
      await assert.rejects(loadLogKey(path, ORIGIN, other), (error: Error & { code?: string }) => {
        assert.doesNotMatch(`${error.stack}`, /horse|BEGIN/);
        return error.code === "configuration-invalid";
      });
    }
  });

  it("is refused when the file holds another kind of key, or none", async () => {
    const path = join(directory, "ec.pem");
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await writeFile(path, privateKey.export({ format: "pem", type: "pkcs8" }));
    await assert.rejects(loadLogKey(path, ORIGIN), { code: "configuration-invalid" });
    await writeFile(path, "");
    await assert.rejects(loadLogKey(path, ORIGIN), { code: "configuration-invalid" });
    await assert.rejects(loadLogKey(path, "two words"), { code: "configuration-invalid" });
  });
});
