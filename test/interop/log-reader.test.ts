/**
 * The log as others read it: Go's checksum database and Tessera, its client and its `fsck`. The program is built
 * anew from the Go module proxy, so only where VOUCHSAFE_INTEROP=1 asks for it.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { App } from "../../src/http/app.ts";
import { readActiveKeys } from "../../src/services/log/read-log-keys.ts";
import { ed25519Signer } from "../../src/tlog/note.ts";
import { openNode } from "../http/node.ts";
import { growLog } from "../support/grow-log.ts";
import { skipInterop } from "../support/interop.ts";

const run = promisify(execFile);
const TIMEOUT = 600_000;
/** Two levels of full tiles, and a third that has begun. */
const SIZE = 65_536 + 256 + 44;
/** From the first tile, of borders, and the last one there is. */
const INDEXES = [0, 255, 256, 65_535, 65_536, 65_791, 65_792, SIZE - 1];
const OLDER = 65_537;

test("Go's checksum database and Tessera read the whole log, and find what is not as it was", {
  skip: skipInterop("go"),
  timeout: TIMEOUT,
}, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-log-reader-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const program = join(directory, "log-reader");
  const cwd = fileURLToPath(new URL("log-reader", import.meta.url));
  const isBuilt = await run("go", ["build", "-o", program], { cwd }).then(
    () => true,
    () => false,
  );
  if (!isBuilt) return t.skip("the program cannot be built here");
  // Two keys overlap: each reader has one of them, and passes over the other's signature.
  const node = await openNode({
    VOUCHSAFE_LOG_KEY_FILE: ["old.pem", "new.pem"].map((file) => join(directory, file)).join(","),
  });
  t.after(() => node.close());
  const [oldKey = "", newKey = ""] = await readActiveKeys(node.v);
  const read = (prefix: string, older = OLDER, indexes = INDEXES, key = newKey) =>
    run(program, [`${prefix}/`, key, `${older}`, ...indexes.map(String)]);
  const prefix = `${await node.app.listen({ port: 0 })}/log`;

  for (const [size, older, indexes] of [
    [257, 255, [0, 255, 256]],
    [512, 256, [0, 255, 511]],
    [SIZE, OLDER, INDEXES],
  ] as const) {
    await growLog(node.v, size);
    for (const key of [oldKey, newKey]) {
      const { stdout } = await read(prefix, older, [...indexes], key);
      assert.match(stdout, /^the log holds$/m, `of ${size} entries, by ${key}`);
    }
  }
  const { privateKey } = generateKeyPairSync("ed25519");
  const stranger = ed25519Signer(node.v.log.origin, privateKey).verifierKey;
  await assert.rejects(read(prefix, OLDER, INDEXES, stranger), { code: 1 });

  for (const path of [
    "/log/tile/entries/000",
    "/log/tile/entries/256",
    "/log/tile/entries/257.p/44",
    "/log/tile/0/000",
    "/log/tile/0/255",
    "/log/tile/0/257.p/44",
    "/log/tile/1/000",
    "/log/tile/1/001.p/1",
    "/log/tile/2/000.p/1",
    "/log/checkpoint",
    `/log/proof/inclusion?index=255&treeSize=${SIZE}`,
    `/log/proof/consistency?from=${OLDER}&to=${SIZE}`,
  ]) {
    await assert.rejects(read(`${await altered(t, node.app, path)}/log`), { code: 1 }, path);
  }
});

/** Serves what the node serves, but for one bit at one path. */
async function altered(t: TestContext, app: App, path: string): Promise<string> {
  const server = createServer(async ({ url = "" }, response) => {
    const answer = await app.inject(url);
    const bytes = Buffer.from(answer.rawPayload);
    // Of what is JSON a bit within the first hash.
    const at = path.includes("/proof/") ? bytes.indexOf('["') + 4 : 20;
    if (url === path) bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    response.writeHead(answer.statusCode).end(bytes);
  });
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
