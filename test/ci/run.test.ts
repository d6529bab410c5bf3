import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { UNLESS_LONG } from "../support/long.ts";
import { runNode } from "../support/run-node.ts";

const folder = mkdtempSync(join(tmpdir(), "vouchsafe-run-"));
after(() => rmSync(folder, { recursive: true }));

/** `npm test -- ARGUMENTS…` on a file with these tests. */
function npmTest(body: string, ...options: string[]): { code: number | null; output: string } {
  const file = join(folder, "sample.test.ts");
  writeFileSync(file, `import { test } from "node:test";\n${body}\n`);
  const { code, stdout, stderr } = runNode("test/run.ts", ...options, file);
  return { code, output: stdout + stderr };
}

describe("npm test", { skip: UNLESS_LONG }, () => {
  test("exits 0 with node's closing lines when all passed", () => {
    const { code, output } = npmTest(`test("a", () => {}); test("b", () => {});`);
    assert.equal(code, 0);
    assert.match(output, /^ℹ pass 2$/m);
    assert.match(output, /^ℹ fail 0$/m);
  });

  test("lists skipped tests with their reasons, and suites, which stand for theirs", () => {
    const { code, output } = npmTest(
      `test("a", () => {}); test("b", { skip: "the corpus is away" }, () => {});
      test.describe("c", { skip: "it takes long" }, () => test("d", () => {}));`,
    );
    assert.equal(code, 0);
    assert.match(
      output,
      /^Skipped \(2\):\n {2}.*sample\.test\.ts: b: the corpus is away\n {2}.*sample\.test\.ts: c: it takes long$/m,
    );
  });

  test("runs only the tests that --name matches", () => {
    const { code, output } = npmTest(
      `test("one", () => { throw 1; }); test("two", () => {});`,
      "--name",
      "^two$",
    );
    assert.equal(code, 0);
    assert.match(output, /^ℹ pass 1$/m);
  });

  const failing: [name: string, body: string, ...options: string[]][] = [
    ["a test failed", `test("a", () => {}); test("b", () => { throw new Error(); });`],
    ["a file did not load", `test("a", () => {}); throw new Error();`],
    ["a file holds no test", "console.log(typeof test);"],
    ["every test was skipped", `test("a", { skip: "away" }, () => {});`],
    ["no test has the name", `test("a", () => {});`, "--name", "b"],
  ];
  for (const [name, body, ...options] of failing) {
    test(`exits 1 when ${name}`, () => assert.equal(npmTest(body, ...options).code, 1));
  }

  test("exits 1 when a test failed among so many files that databases are made for them", () => {
    const many = join(folder, "many");
    mkdirSync(many);
    for (let i = 0; i < 8; i++) {
      writeFileSync(join(many, `${i}.test.ts`), `import { test } from "node:test"; test("a", () => {});`);
    }
    assert.equal(npmTest(`test("b", () => { throw new Error(); });`, many).code, 1);
  });

  test("names the file that holds no test beside one that does, in whose process it is", () => {
    const two = join(folder, "two");
    mkdirSync(two);
    writeFileSync(join(two, "a.test.ts"), "");
    writeFileSync(join(two, "b.test.ts"), `import { test } from "node:test"; test("b", () => {});`);
    const { code, output } = npmTest(`test("c", () => {});`, two);
    assert.equal(code, 1);
    assert.match(output, /^Files of which no test was told:\n {2}.*a\.test\.ts$/m);
  });

  test("exits 1 when no file matches", () => {
    const { code } = runNode("test/run.ts", "no-such-file");
    assert.equal(code, 1);
  });
});
