import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, mock, test } from "node:test";
import { PUBLIC_ONLY, readOutboundRules } from "../../src/outbound/rules.ts";
import { readTufTarget } from "../../src/trust/tuf.ts";
import { openTufRepository, type TufRepository } from "./tuf-repository.ts";

const DAY = 24 * 3_600_000;
const TARGET = "trusted_root.json";

let cacheDir: string;
let repository: TufRepository;
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "tuf-"));
  repository = await openTufRepository();
  repository.publish({ [TARGET]: "first" });
});
afterEach(async () => {
  mock.timers.reset();
  await repository.close();
  await rm(cacheDir, { recursive: true });
});

const read = (target = TARGET) =>
  readTufTarget({ repository: repository.url, root: repository.root, target }, { cacheDir });
const text = async () => Buffer.from((await read()).bytes).toString();

test("a target is fetched with what says until when it counts", async () => {
  const { bytes, from, problem, targetsVersion, expires, root } = await read();
  assert.equal(Buffer.from(bytes).toString(), "first");
  assert.equal(from, "network");
  assert.equal(problem, undefined);
  assert.equal(targetsVersion, 1);
  assert.deepEqual(root, repository.root);
  assert.ok(expires > Date.now() && expires <= Date.now() + 7 * DAY);
});

test("what changed is taken over, and the target that stayed is not fetched again", async () => {
  await read();
  await read();
  assert.equal(repository.asked.filter((path) => path.startsWith("/targets/")).length, 1);
  repository.publish({ [TARGET]: "second" });
  const { bytes, targetsVersion } = await read();
  assert.deepEqual([Buffer.from(bytes).toString(), targetsVersion], ["second", 2]);
});

test("a rotated root is followed, and is what the next refresh may start from", async () => {
  repository.rotateRoot();
  repository.publish({ [TARGET]: "second" });
  const { root } = await read();
  assert.equal((root.signed as { version: number }).version, 2);
  const target = await readTufTarget({ repository: repository.url, root, target: TARGET }, { cacheDir });
  assert.equal(Buffer.from(target.bytes).toString(), "second");
});

test("what a tenant names is asked only where the installation goes out to", async () => {
  const { url, root } = repository;
  const source = { repository: url, root, target: TARGET };
  await assert.rejects(readTufTarget(source, { cacheDir, outbound: PUBLIC_ONLY }), {
    code: "unavailable",
    message: /its address is not public/,
  });
  assert.deepEqual(repository.asked, []);
  repository.rotateRoot();
  const { rules } = readOutboundRules(["127.0.0.1"]);
  const { bytes, root: newest } = await readTufTarget(source, { cacheDir, outbound: rules });
  assert.equal(Buffer.from(bytes).toString(), "first");
  assert.equal((newest.signed as { version: number }).version, 2);
});

test("without a network the cache counts until its metadata expires", async () => {
  await read();
  repository.online = false;
  const { bytes, from, problem } = await read();
  assert.deepEqual([Buffer.from(bytes).toString(), from], ["first", "cache"]);
  assert.match(problem ?? "", /./);
  mock.timers.enable({ apis: ["Date"], now: Date.now() + 8 * DAY });
  await assert.rejects(read(), {
    code: "unavailable",
    message: /from the cache: its metadata expired on 20/,
  });
});

test("without network and cache nothing is vouched for", async () => {
  repository.online = false;
  await assert.rejects(read(), { code: "unavailable", message: /nothing was fetched before/ });
});

test("expired metadata from the network is refused", async () => {
  repository.publish({ [TARGET]: "second" }, { expires: Date.now() - 1000 });
  await assert.rejects(read(), { code: "unavailable", message: /expired/ });
});

test("a repository that goes back is not believed: what was seen last stays", async () => {
  const goBack = repository.save();
  repository.publish({ [TARGET]: "second" });
  assert.equal(await text(), "second");
  goBack();
  const { bytes, from, problem } = await read();
  assert.deepEqual([Buffer.from(bytes).toString(), from], ["second", "cache"]);
  assert.match(problem ?? "", /version 1 is less than current version 2/);
});

test("metadata that another key signed is not believed", async () => {
  await read();
  repository.publish({ [TARGET]: "second" }, { forged: true });
  const { bytes, from } = await read();
  assert.deepEqual([Buffer.from(bytes).toString(), from], ["first", "cache"]);
});

test("a root that the repository's metadata is not signed under vouches for nothing", async () => {
  const other = await openTufRepository();
  const source = { repository: repository.url, root: other.root, target: TARGET };
  await assert.rejects(readTufTarget(source, { cacheDir }), { code: "unavailable" });
  await other.close();
  assert.equal(await text(), "first", "the cache of the right root is not touched by it");
});

test("a target that is not listed is refused, also when its path points out of the cache", async () => {
  await assert.rejects(read("../../root.json"), { code: "unavailable", message: /there is no target/ });
});

test("root metadata that was cut off in the cache is replaced", async () => {
  await read();
  const [directory = ""] = await readdir(cacheDir);
  await truncate(join(cacheDir, directory, "root.json"), 10);
  assert.equal(await text(), "first");
});
