/** What runs the tests: no test is lost, or passes for another's hooks. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { inProcesses } from "../support/processes.ts";
import { runNode } from "../support/run-node.ts";

const WATCHDOG = new URL("../support/watchdog.ts", import.meta.url);

let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), "vouchsafe-test-"));
});
after(() => rm(scratch, { recursive: true }));

test("each file runs in one process, and those that fill theirs alone", async () => {
  const folders = ["cli", "workload", "http", "fuzz"];
  const files = folders.flatMap((folder) =>
    Array.from({ length: 41 }, (_, i) => resolve("test", folder, `${i}.test.ts`)),
  );
  const started = inProcesses(files, scratch);
  const told = await Promise.all(
    started.map(async (path) => {
      if (files.includes(path)) return [path];
      const imports = (await readFile(path, "utf8")).matchAll(/import\("file:\/\/(.*)"\)/g);
      return [...imports].map(([, file = ""]) => file);
    }),
  );
  assert.deepEqual(told.flat(), files);
  const shared = told.filter(({ length }) => length > 1);
  assert.ok(shared.length > 0);
  assert.ok(shared.flat().every((file) => !/\/(workload|fuzz)\//.test(file)));
});

test("hooks are of the file that has them", async () => {
  const counted = (name: string) =>
    `import { beforeEach, test } from "node:test"; import assert from "node:assert"; let calls = 0;
     beforeEach(() => { calls += 1; }); test("${name}", () => assert.equal(calls, 1));`;
  const files = Array.from({ length: 41 }, (_, i) => join(scratch, `counts-${i}.test.mjs`));
  await Promise.all(files.map((file, i) => writeFile(file, counted(`${i}`))));
  const [first = ""] = inProcesses(files, scratch);
  const { code, stdout } = runNode("--test-reporter=tap", first);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^# pass 2$/m);
});

test("a process that ends before its tests fails, as nothing was left to wait for", async () => {
  const file = join(scratch, "ends.test.mjs");
  const ends = `process.on("beforeExit", () => process.exit());`;
  const waits = `await new Promise(() => {});`;
  await writeFile(file, `import { test } from "node:test"; ${ends} test("waits", async () => { ${waits} });`);
  const { code, stderr } = runNode(`--import=${WATCHDOG}`, file);
  assert.match(stderr, /^Ended before its tests: .*ends\.test\.mjs$/m);
  assert.equal(code, 1);
});
